/**
 * The producer's thread of `two_threads.test.ts`: pushes numbered lines as fast
 * as it can, says what that overwrote, and closes.
 */

import { parentPort, workerData } from "node:worker_threads";
import type { Lane } from "../../src/lane/lane.ts";
import { RingProducer } from "../../src/lane/ring_producer.ts";

export interface Job {
  readonly ring: Lane;
  readonly lines: number;
  /** One frame in so many is a hundred times as large as the others. */
  readonly largeEvery: number;
}

export interface Overwritten {
  readonly bytes: number;
  readonly lines: number;
}

const SMALL_FRAME_LINES = 20;
const LARGE_FRAME_LINES = 2000;

function produce({ ring, lines, largeEvery }: Job): Overwritten {
  const producer = new RingProducer(ring, "overwrite");
  const landing = new Uint8Array(ring.memory.buffer, ring.landingAt, ring.landingBytes);
  const overwritten = { bytes: 0, lines: 0 };
  for (let [line, frame] = [0, 1]; line < lines; frame++) {
    const wanted = frame % largeEvery === 0 ? LARGE_FRAME_LINES : SMALL_FRAME_LINES;
    const count = Math.min(wanted, lines - line);
    let length = 0;
    for (let index = 0; index < count; index++) {
      length = putNumber(landing, length, line++);
    }
    const pushed = producer.push(ring.landingAt, length, count, 0, frame);
    overwritten.bytes += pushed.overwrittenBytes;
    overwritten.lines += pushed.overwrittenLines;
  }
  producer.close(0, 0, 0);
  return overwritten;
}

/** Writes a number and a newline; returns where they end. */
function putNumber(to: Uint8Array, at: number, number: number): number {
  let divisor = 1;
  while (divisor * 10 <= number) divisor *= 10;
  for (; divisor >= 1; divisor = Math.floor(divisor / 10)) {
    to[at++] = 48 + Math.floor(number / divisor) % 10;
  }
  to[at++] = 10;
  return at;
}

parentPort!.postMessage(produce(workerData as Job));
