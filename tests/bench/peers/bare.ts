/** What every program with two threads costs beside its work: they start, and end. */

import { isMainThread, Worker } from "node:worker_threads";

if (isMainThread) {
  for (let thread = 0; thread < 2; thread++) new Worker(new URL(import.meta.url));
}
