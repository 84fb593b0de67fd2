import { assertEquals } from "@std/assert";
import { RawFormat } from "../../src/formats/raw.ts";
import { bytesOf, START_TIME, TestInput } from "./pipeline.ts";

/** The piece that this input's next batch becomes. */
function pieceOf(format: RawFormat, input: TestInput) {
  format.begin(input.drain()!, input.stream);
  return format.next()!;
}

Deno.test("raw output counts bytes as they are written, and lines when they are whole", () => {
  const input = new TestInput("stdout");
  input.push(bytesOf("one\n\ntwo\n"));
  const piece = pieceOf(new RawFormat(), input);
  const counted = Array.from({ length: piece.length + 1 }, (_, written) => {
    const { bytes, lines } = piece.progress(written);
    return `${bytes}:${lines}`;
  });
  assertEquals(counted, [
    ...["0:0", "1:0", "2:0", "3:0", "4:1"],
    ...["5:2", "6:2", "7:2", "8:2", "9:3"],
  ]);
});

Deno.test("a newline that raw output adds is not counted", () => {
  const [out, err] = [new TestInput("stdout"), new TestInput("stderr")];
  const format = new RawFormat();
  out.push(bytesOf("unfinished"));
  pieceOf(format, out);
  err.push(bytesOf("x\n"));
  const piece = pieceOf(format, err);
  const counted = [0, 1, 2, 3].map((written) => ({ ...piece.progress(written) }));
  assertEquals(counted, [
    { bytes: 0, lines: 0 },
    { bytes: 0, lines: 0 },
    { bytes: 1, lines: 0 },
    { bytes: 2, lines: 1 },
  ]);
});

Deno.test("an unfinished last line is counted with its last byte, or by itself", () => {
  for (const together of [true, false]) {
    const input = new TestInput("stdout");
    const format = new RawFormat();
    input.push(bytesOf("end"));
    if (!together) assertEquals({ ...pieceOf(format, input).progress(3) }.lines, 0);
    input.close();
    const piece = pieceOf(format, input);
    const bytes = together ? 3 : 0;
    assertEquals(piece.length, bytes);
    assertEquals({ ...piece.progress(bytes) }, { bytes, lines: 1 });
  }
});

Deno.test("nothing of a marker is counted", () => {
  const gap = { lines: 3, bytes: 30, from: START_TIME, to: START_TIME };
  const marker = new RawFormat().marker(
    { ...gap, reason: "dropped", nextLine: 0, nextByte: 0 },
    new TestInput("stdout").stream,
  );
  const { bytes, lines } = marker.progress(marker.length);
  assertEquals([bytes, lines], [0, 0]);
});
