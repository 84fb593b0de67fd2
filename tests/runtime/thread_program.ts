/** Starts itself as a thread, and says how it went. */

import process from "node:process";
import {
  isMainThread,
  startThread,
  tellStarter,
  threadStart,
} from "../../src/runtime/thread.ts";

interface Start {
  readonly words: Int32Array;
  readonly what: string | undefined;
}

const [what] = process.argv.slice(2);

if (isMainThread) {
  const { port1, port2 } = new MessageChannel();
  const start = { words: new Int32Array(new SharedArrayBuffer(4)), what, port: port2 };
  startThread<string>(new URL(import.meta.url), start, [port2], {
    onMessage: (message) => {
      console.log(`${message}, ${start.words[0]}`);
      return message === "finished";
    },
    onDeath: (why) => {
      console.log(`died: ${why}`);
      process.exit(0);
    },
  });
  port1.close();
} else {
  // As one that has much to load first: what it is given comes meanwhile.
  await new Promise((resolve) => setTimeout(resolve, 50));
  const { words, what } = await threadStart<Start>();
  Atomics.store(words, 0, 1);
  tellStarter("started");
  if (what === "throw") throw new Error("of the thread");
  if (what === "reject") Promise.reject(new Error("of the thread"));
  else tellStarter("finished");
}
