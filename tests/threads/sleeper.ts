/**
 * The other thread of the tests of the doorbell and the gate. For the doorbell it
 * sleeps until a shared word has grown, takes note, and sleeps again; for the
 * gate it waits until it may pass.
 */

import { parentPort, workerData } from "node:worker_threads";
import { Doorbell, type DoorbellMemory } from "../../src/threads/doorbell.ts";
import { clear } from "../../src/system/event_counter.ts";
import { poll, POLLIN } from "../../src/system/poll.ts";
import { Gate } from "../../src/threads/gate.ts";

export type Job =
  | {
    readonly kind: "doorbell";
    readonly doorbell: DoorbellMemory;
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
  let [seen, before] = [0, -1];
  while (seen < last) {
    doorbell.answer(1, () => {});
    seen = Atomics.load(words, 0);
    if (seen === before) sleep(doorbell);
    before = seen;
    Atomics.store(words, 1, seen);
    Atomics.notify(words, 1);
  }
}

function sleep(doorbell: Doorbell): void {
  if (doorbell.beginSleep(1)) {
    poll(doorbell.memory.counter, POLLIN, -1);
    clear(doorbell.memory.counter);
  }
  doorbell.endSleep();
}

const job = workerData as Job;
parentPort!.postMessage("started");
if (job.kind === "doorbell") sleepAndWake(job);
else Gate.attach(job.gate).pass(Infinity);
parentPort!.postMessage("done");
