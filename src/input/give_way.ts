import { napMicros } from "../system/clock.ts";
import type { LaneCounters } from "../lane/lane_counters.ts";
import type { ThreadActivity } from "../system/process.ts";

/** Far shorter than the writer needs to fill the kernel pipe. */
const BREATH_MICROS = 50;
/** How long one round may be put off: 260 MB/s, or what the kernel pipe holds. */
const PATIENCE_MS = 1;
/** Over how long the sink's speed is measured, and when a measurement is old. */
const WINDOW_MS = 20;
const STALE_MS = 1000;
/**
 * What a sink must take to be waited for: 200 MB/s. Disks, networks and log
 * drivers are slower, and what they cannot take is overwritten; what is faster is
 * a program on the same machine that shares the processors with us.
 */
const FAST_BYTES_PER_MS = 200_000;

/** An input that was served, and how fast its output is. */
interface PacedInput {
  readonly ended: boolean;
  readonly framer: { readonly crowded: boolean };
  readonly pace: Pace;
}

/**
 * Lets the output loops have a processor. On a machine with more threads than
 * processors a loop that has work, and a sink that is as fast as memory, may
 * yet not get to run for some milliseconds, and at that speed these are a whole
 * ring; no line should be lost for that. So the reader holds back a little while
 * a ring is more than half full and its sink fast. It never waits for a slow
 * sink: after 20 ms at the most it knows that it is one, since the loop has waited
 * for it then, and not only for a processor. Reader thread only.
 *
 * @param inputs those that were served in this round
 */
export function giveWay(inputs: readonly PacedInput[]): void {
  let startMs: number | undefined;
  for (const input of inputs) {
    while (!input.ended && input.framer.crowded) {
      const nowMs = performance.now();
      startMs ??= nowMs;
      if (nowMs - startMs >= PATIENCE_MS || !input.pace.isFast(nowMs)) break;
      napMicros(BREATH_MICROS);
    }
  }
}

/** Whether the output of an input takes so much that it is worth waiting for. */
export class Pace {
  readonly #counters: Pick<LaneCounters, "bytesOut">;
  readonly #activity: () => ThreadActivity | undefined;
  #windowStartMs = -Infinity;
  #windowBytes = 0;
  #windowSleeps = 0;
  #isFast = true;

  /** @param activity of the output loop */
  constructor(
    counters: Pick<LaneCounters, "bytesOut">,
    activity: () => ThreadActivity | undefined,
  ) {
    this.#counters = counters;
    this.#activity = activity;
  }

  isFast(nowMs: number): boolean {
    const elapsedMs = nowMs - this.#windowStartMs;
    if (elapsedMs < WINDOW_MS) return this.#isFast;
    const { bytesOut } = this.#counters;
    const taken = bytesOut - this.#windowBytes;
    const { isRunnable = false, sleeps = 0 } = this.#activity() ?? {};
    // What a loop takes that never waits for its sink is all that it has time for.
    const isBusy = isRunnable && sleeps === this.#windowSleeps;
    this.#isFast = elapsedMs > STALE_MS || taken >= FAST_BYTES_PER_MS * elapsedMs ||
      isBusy;
    this.#windowStartMs = nowMs;
    this.#windowBytes = bytesOut;
    this.#windowSleeps = sleeps;
    return this.#isFast;
  }
}
