import { assert, assertEquals } from "@std/assert";
import { Worker } from "node:worker_threads";
import { kernels } from "../../src/kernels/kernels.ts";
import { HEAD, UNIT } from "../../src/lane/layout.ts";
import type { Batch } from "../../src/lane/batch.ts";
import { RingConsumer } from "../../src/lane/ring_consumer.ts";
import { type Lane, MIN_CAPACITY } from "../../src/lane/lane.ts";
import { laneOf } from "./small_lane.ts";
import type { Job, Overwritten } from "./numbered_lines_producer.ts";

const NEWLINE = 10;
const DEADLINE_MS = 60_000;

/** Reads numbered lines, and knows which one must come next. */
class NumberedLines {
  readonly #memory: Uint8Array;
  readonly #handAt: number;
  next = 0;
  lines = 0;
  bytes = 0;
  lostLines = 0;
  lostBytes = 0;
  gaps = 0;

  constructor(ring: Lane) {
    this.#memory = new Uint8Array(ring.memory.buffer);
    this.#handAt = ring.handAt;
  }

  /** Checks that the batch holds whole lines, those that come right after its gap. */
  take(batch: Batch): void {
    if (batch.gapBytes > 0) this.gaps++;
    this.lostLines += batch.gapLines;
    this.lostBytes += batch.gapBytes;
    this.next += batch.gapLines;
    let [number, lines] = [0, 0];
    for (let at = this.#handAt; at < this.#handAt + batch.bytes; at++) {
      const byte = this.#memory[at]!;
      if (byte !== NEWLINE) {
        number = number * 10 + byte - 48;
      } else {
        if (number !== this.next) assertEquals(number, this.next, "the line that came");
        this.next++;
        lines++;
        number = 0;
      }
    }
    assertEquals(number, 0, "the batch ends with a whole line");
    assertEquals(batch.lines, lines);
    this.lines += lines;
    this.bytes += batch.bytes;
  }
}

/** Bytes of the decimal numbers below `count`, each with its newline. */
function bytesOfNumbers(count: number): number {
  let bytes = count;
  for (let digits = 1, first = 0; first < count; digits++) {
    const end = Math.min(count, 10 ** digits);
    bytes += (end - first) * digits;
    first = end;
  }
  return bytes;
}

/**
 * Runs a producer in a thread of its own, and the consumer in this one until the
 * end. Before each drain it waits for `pace`, which may look how many bytes of
 * the ring the producer has come.
 */
async function run(
  lines: number,
  capacityBytes: number,
  pace: (producedBytes: () => number) => void,
): Promise<NumberedLines> {
  const ring = laneOf(capacityBytes, 64 * 1024, 256 * 1024);
  const consumer = new RingConsumer(ring, 0);
  const workerData: Job = { ring, lines, largeEvery: 50 };
  const program = new URL("./numbered_lines_producer.ts", import.meta.url);
  const producer = new Worker(program, { workerData });
  const overwritten = new Promise<Overwritten>((resolve, reject) => {
    producer.on("message", resolve);
    producer.on("error", reject);
  });
  const seen = new NumberedLines(ring);
  const { load } = kernels(ring.memory);
  const producedBytes = () => load(HEAD) * UNIT;
  const deadline = performance.now() + DEADLINE_MS;
  while (!consumer.ended) {
    pace(producedBytes);
    const batch = consumer.drain();
    if (batch !== undefined) seen.take(batch);
    else await new Promise((resume) => setTimeout(resume));
    if (performance.now() > deadline) throw new Error("the producer does not end");
  }
  const { bytes: overwrittenBytes, lines: overwrittenLines } = await overwritten;
  await producer.terminate();
  assertEquals(seen.lostLines, overwrittenLines);
  assertEquals(seen.lostBytes, overwrittenBytes);
  assertEquals(seen.lines + seen.lostLines, lines);
  assertEquals(seen.bytes + seen.lostBytes, bytesOfNumbers(lines));
  assertEquals(consumer.discardedBytes, 0);
  return seen;
}

Deno.test("two threads, as fast as they can: whole lines in order, each gap in its place", async () => {
  const { lines } = await run(3_000_000, MIN_CAPACITY, () => {});
  assert(lines > 0);
});

Deno.test("two threads, the consumer a whole ring behind each time: the same", async () => {
  const lines = 2_000_000;
  const endBytes = bytesOfNumbers(lines);
  let lastBytes = 0;
  const pace = (producedBytes: () => number) => {
    const target = Math.min(lastBytes + 3 * MIN_CAPACITY, endBytes);
    const deadline = performance.now() + DEADLINE_MS;
    while (producedBytes() < target) {
      if (performance.now() > deadline) throw new Error("the producer does not move");
    }
    lastBytes = producedBytes();
  };
  const { gaps, lostLines } = await run(lines, MIN_CAPACITY, pace);
  assert(gaps > 0);
  assert(lostLines > lines / 4);
});

Deno.test("two threads and a ring that holds everything: nothing is lost", async () => {
  const lines = 1_000_000;
  const { lostLines } = await run(lines, 2 * bytesOfNumbers(lines), () => {});
  assertEquals(lostLines, 0);
});
