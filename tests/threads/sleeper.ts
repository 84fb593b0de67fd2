/**
 * The other thread of the tests of the doorbell and the gate. For the doorbell it
 * sleeps until a shared word has grown, takes note, and sleeps again; for the
 * gate it waits until it may pass.
 */

import { parentPort, workerData } from "node:worker_threads";
import { Doorbell } from "../../src/threads/doorbell.ts";
import { Gate } from "../../src/threads/gate.ts";

export type Job =
  | {
    readonly kind: "doorbell";
    readonly doorbell: SharedArrayBuffer;
    /** Words: what is published, what the sleeper has seen. */
    readonly words: SharedArrayBuffer;
    readonly last: number;
  }
  | { readonly kind: "gate"; readonly gate: SharedArrayBuffer };

function sleepAndWake(
  { doorbell: memory, words: shared, last }: Job & { kind: "doorbell" },
): void {
  const doorbell = Doorbell.attach(memory);
  const words = new Int32Array(shared);
  let seen = 0;
  while (seen < last) {
    doorbell.sleep(() => Atomics.load(words, 0) === seen);
    seen = Atomics.load(words, 0);
    Atomics.store(words, 1, seen);
    Atomics.notify(words, 1);
  }
}

const job = workerData as Job;
parentPort!.postMessage("started");
if (job.kind === "doorbell") sleepAndWake(job);
else Gate.attach(job.gate).pass();
parentPort!.postMessage("done");
