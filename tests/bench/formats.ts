/**
 * How fast each format is: MB of input per second on one core, for lines of 100
 * bytes and of 1 KiB, alone and without a ring or a sink around it.
 *
 *     deno task bench:formats
 */

import { FORMAT_NAMES, makeFormat } from "../../src/formats/formats.ts";
import { START_TIME, TestInput } from "../formats/pipeline.ts";

const LINE_BYTES = [100, 1024];
const FRAME_BYTES = 64 * 1024;
const FRAMES = 4;
const ROUNDS = 5;
const ROUND_MS = 200;

/** Text as services write it: words, numbers, a few quotes. */
function line(bytes: number): string {
  const words = 'level=info msg="request served" path=/api/v1/items status=200 ms=12 ';
  return `${words.repeat(Math.ceil(bytes / words.length)).slice(0, bytes - 1)}\n`;
}

/** MB/s, the median of the rounds. */
function measure(name: typeof FORMAT_NAMES[number], lineBytes: number): number {
  const input = new TestInput("stdout");
  const frame = new TextEncoder().encode(
    line(lineBytes).repeat(Math.floor(FRAME_BYTES / lineBytes)),
  );
  for (let index = 0; index < FRAMES; index++) {
    input.push(frame, START_TIME + 123_457 * index);
  }
  const batch = input.drain()!;
  const format = makeFormat(name, {
    maxLineBytes: 64 * 1024,
    host: "web-1",
  });
  const rates: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    let bytes = 0;
    while (performance.now() - start < ROUND_MS) {
      format.begin(batch, input.stream);
      for (let piece = format.next(); piece !== undefined; piece = format.next()) {
        bytes += piece.progress(piece.length).bytes;
      }
    }
    rates.push(bytes / 1e3 / (performance.now() - start));
  }
  return rates.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)]!;
}

console.log(
  `${"MB/s".padEnd(20)}${LINE_BYTES.map((n) => `${n} B`.padStart(10)).join("")}`,
);
// Raw output is not made but taken from where it is.
for (const name of FORMAT_NAMES.filter((name) => name !== "raw")) {
  const rates = LINE_BYTES.map((bytes) => measure(name, bytes).toFixed(0).padStart(10));
  console.log(`${name.padEnd(20)}${rates.join("")}`);
}
