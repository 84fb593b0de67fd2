/**
 * What a perfect ring would have lost, told the same writes and the same sink.
 *
 * It takes every byte at the moment at which its write returned, drops single
 * bytes from the oldest end and only when it is full, and hands over in no time.
 * Its room is the ring's capacity and the kernel's pipe to the sink, which every
 * program has behind it. It gets nothing for the pipe before it, which a ring
 * that always reads keeps empty.
 */

import type { Load } from "./load.ts";
import type { Window } from "./sink.ts";

/** A pipe holds so much unless it is told otherwise: pipe(7). */
export const PIPE_BYTES = 64 * 1024;

/** Bytes that must be lost until the last write. @param windows in order of time */
export function mustLose(
  load: Load,
  windows: readonly Window[],
  capacityBytes: number,
): number {
  const room = capacityBytes + PIPE_BYTES;
  const sink = new Demand(windows);
  let held = load.bytes - load.writeSizes.reduce((sum, size) => sum + size, 0);
  let lost = 0;
  for (const [at, end] of load.writeEnds.entries()) {
    const now = load.startMicros + end;
    held -= sink.takeUntil(now, held);
    held += load.writeSizes[at]!;
    held -= sink.takeUntil(now, held);
    lost += Math.max(0, held - room);
    held = Math.min(held, room);
  }
  return lost;
}

/** What the sink asks for as time goes by. */
class Demand {
  readonly #windows: readonly Window[];
  #next = 0;
  #leftBytes = 0;
  #closeMicros = -Infinity;

  constructor(windows: readonly Window[]) {
    this.#windows = windows;
  }

  /** How much of `held` it takes; what came in at `now` is not offered to earlier windows. */
  takeUntil(now: number, held: number): number {
    let taken = 0;
    for (
      let next = this.#windows[this.#next];
      next !== undefined && next.openMicros <= now;
      next = this.#windows[++this.#next]
    ) {
      this.#leftBytes = next.wantBytes;
      this.#closeMicros = next.closeMicros;
      taken += this.#take(held - taken);
    }
    if (now <= this.#closeMicros) taken += this.#take(held - taken);
    return taken;
  }

  #take(held: number): number {
    const taken = Math.min(held, this.#leftBytes);
    this.#leftBytes -= taken;
    return taken;
  }
}
