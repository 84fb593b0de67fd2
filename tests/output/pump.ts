import { assert } from "@std/assert";
import { Wait } from "../../src/output/wait.ts";

const never = new Int32Array(new SharedArrayBuffer(4));

/**
 * Does what an output loop does for one outlet whose lanes have all they will have:
 * calls `step` until it is true, and waits for what it says. A promise only where it
 * was given one.
 *
 * @param step filled `wait` if it is false
 */
export function pump(
  step: (nowMs: number, wait: Wait) => boolean,
  wait = new Wait(),
): Promise<void> | undefined {
  for (;;) {
    wait.clear();
    if (step(performance.now(), wait)) return undefined;
    if (wait.promise !== undefined) return wait.promise.then(() => pump(step, wait));
    assert(wait.atMs < Infinity, "it waits for nothing");
    const restMs = wait.atMs - performance.now();
    if (restMs > 0) Atomics.wait(never, 0, 0, restMs);
  }
}
