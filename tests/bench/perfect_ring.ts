/**
 * What a perfect ring would have lost, told the same writes and the same reads.
 *
 * It takes every byte at the moment at which its write returned, drops single
 * bytes from the oldest end and only when it is full, and hands over in no time
 * what the sink read at the moment at which it read it; where the sink waited and
 * got nothing, it gets all there is. Its room is the ring's capacity and the
 * kernel's pipe to the sink, which is as large as Spillway makes it. It gets nothing
 * for the pipe before it, which a ring that always reads keeps empty, nor for what
 * Spillway's flusher holds in its hand (256 KiB), with which Spillway can be a
 * little better than perfect.
 */

import type { Load } from "./load.ts";
import type { SinkReads } from "./sink.ts";

/** As in `src/output/stdout_sink.ts`. */
export const PIPE_BYTES = 256 * 1024;

/** Bytes that must be lost until the last write. */
export function mustLose(
  load: Pick<Load, "bytes" | "startMicros" | "writeEnds" | "writeSizes">,
  reads: SinkReads,
  capacityBytes: number,
): number {
  const room = capacityBytes + PIPE_BYTES;
  // What was written before the clock started.
  let held = load.bytes - load.writeSizes.reduce((sum, size) => sum + size, 0);
  let lost = 0;
  let read = 0;
  for (const [index, end] of load.writeEnds.entries()) {
    const now = load.startMicros + end;
    while (read < reads.micros.length && reads.micros[read]! <= now) {
      held -= Math.min(held, reads.bytes[read]!);
      read++;
    }
    held += load.writeSizes[index]!;
    lost += Math.max(0, held - room);
    held = Math.min(held, room);
  }
  return lost;
}
