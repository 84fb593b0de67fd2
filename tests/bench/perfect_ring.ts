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

/** As in `src/output/stdout_sink.ts`, and what any other program has: pipe(7). */
export const PIPE_BYTES = 256 * 1024;
const USUAL_PIPE_BYTES = 64 * 1024;
/** A sink that has not read for so long has paused. */
const PAUSE_MICROS = 2000;

/** Bytes that must be lost until the last write. */
export function mustLose(
  load: Pick<Load, "bytes" | "startMicros" | "writeEnds" | "writeSizes">,
  reads: SinkReads,
  capacityBytes: number,
): number {
  const refills = refillsOf(reads);
  // What was written before the clock started.
  let held = load.bytes - load.writeSizes.reduce((sum, size) => sum + size, 0);
  let lost = 0;
  let read = 0;
  let refill = 0;
  for (const [index, end] of load.writeEnds.entries()) {
    const now = load.startMicros + end;
    while (read < reads.micros.length && reads.micros[read]! <= now) {
      held -= Math.min(held, reads.bytes[read]!);
      read++;
    }
    while (refill < refills.length - 1 && refills[refill]!.micros <= now) refill++;
    const room = capacityBytes + (refills[refill]?.bytes ?? PIPE_BYTES);
    held += load.writeSizes[index]!;
    lost += Math.max(0, held - room);
    held = Math.min(held, room);
  }
  return lost;
}

/**
 * What the pipe held when the sink came back from a pause, and when that was. Pages of
 * a pipe are seldom full: what they hold depends on the sizes of the writes.
 */
function refillsOf({ micros, bytes }: SinkReads): { micros: number; bytes: number }[] {
  const refills = [];
  for (let at = 1; at < micros.length; at++) {
    if (micros[at]! - micros[at - 1]! < PAUSE_MICROS) continue;
    const held = Math.max(USUAL_PIPE_BYTES, Math.min(bytes[at]!, PIPE_BYTES));
    refills.push({ micros: micros[at]!, bytes: held });
  }
  return refills;
}
