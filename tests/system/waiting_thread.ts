/** A thread that says which one it is, and then waits, again whenever it is notified. */

import { parentPort, workerData } from "node:worker_threads";
import { threadId } from "../../src/system/process.ts";

parentPort!.postMessage(threadId());
for (;;) Atomics.wait(workerData as Int32Array, 0, 0);
