/**
 * Garbage of threads that wait in the kernel. V8 collects it when there are some megabytes.
 * Bun waits until there is as much of it as of anything else, and counts the memory of a
 * lane among that, up to three times over: what is not needed would come to twice the
 * capacity of all inputs. Where a thread turns its event loop, Bun also collects about every
 * second; these threads do not turn theirs.
 */

/** A collection keeps a thread for one or two milliseconds, also with a thousand lanes. */
const PAUSE_MS = 2000;
/**
 * What has outlasted a collection is only found by one of everything, also where a thread
 * turns its event loop. It keeps a thread for some ten milliseconds, and of each input that
 * has gone it finds some ten kilobytes.
 */
const GONE_INPUTS = 500;

const { Bun } = globalThis as { Bun?: { gc(wait: boolean): void } };
/** Of this thread, on the clock of `performance.now`. */
let nextMs = PAUSE_MS;
/** Since the last collection of everything. */
let goneInputs = 0;

/** To be called in each round of a loop; has garbage collected now and then. */
export function collectGarbage(nowMs: number): void {
  if (nowMs < nextMs) return;
  nextMs = nowMs + PAUSE_MS;
  Bun?.gc(false);
}

/** This thread has nothing more to do with an input; has what many have left collected. */
export function leaveGarbage(): void {
  if (++goneInputs < GONE_INPUTS) return;
  goneInputs = 0;
  Bun?.gc(true);
}
