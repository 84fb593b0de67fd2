/** What every program with two threads costs beside its work: they start, and end. */

import { isMainThread, startThread, tellStarter } from "../../../src/runtime/thread.ts";

if (isMainThread) {
  for (let thread = 0; thread < 2; thread++) {
    startThread(new URL(import.meta.url), undefined, [], {
      onMessage: () => true,
      onDeath: (why) => {
        throw new Error(why);
      },
    });
  }
} else {
  tellStarter("finished");
}
