import { assert, assertEquals } from "@std/assert";
import { Worker } from "node:worker_threads";
import { Doorbell } from "../../src/threads/doorbell.ts";
import { Gate } from "../../src/threads/gate.ts";
import type { Job } from "./sleeper.ts";

const DEADLINE_MS = 30_000;

/** A thread that sleeps, and what it has said. */
class Sleeper {
  readonly said: string[] = [];
  readonly #worker: Worker;
  #hear: () => void = () => {};

  constructor(job: Job) {
    this.#worker = new Worker(new URL("./sleeper.ts", import.meta.url), {
      workerData: job,
    });
    this.#worker.on("message", (word: string) => {
      this.said.push(word);
      this.#hear();
    });
  }

  /** @throws Error when it does not say so many words in time. */
  async words(count: number): Promise<void> {
    let late: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve, reject) => {
      this.#hear = () => this.said.length >= count && resolve();
      late = setTimeout(() => reject(new Error("the thread sleeps on")), DEADLINE_MS);
      this.#hear();
    }).finally(() => clearTimeout(late));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }
}

Deno.test("nobody who rings after publishing is overlooked, however they meet", async () => {
  const last = 20_000;
  const doorbell = Doorbell.create();
  const words = new Int32Array(new SharedArrayBuffer(8));
  await using sleeper = new Sleeper({
    kind: "doorbell",
    doorbell: doorbell.memory,
    words: words.buffer,
    last,
  });
  await sleeper.words(1);
  for (let number = 1; number <= last; number++) {
    Atomics.store(words, 0, number);
    doorbell.ring();
    // Now and then wait until it has seen it, so that it is met asleep, awake
    // and on the way from one to the other.
    while (number % 3 === 0) {
      const seen = Atomics.load(words, 1);
      if (seen >= number) break;
      const outcome = Atomics.wait(words, 1, seen, DEADLINE_MS);
      assert(outcome !== "timed-out", `the ring for ${number} was not heard`);
    }
  }
  await sleeper.words(2);
  assertEquals(sleeper.said, ["started", "done"]);
});

Deno.test("nobody falls asleep while there is something to do", () => {
  const doorbell = Doorbell.create();
  let asked = 0;
  doorbell.sleep(() => {
    asked++;
    return false;
  });
  assertEquals(asked, 1);
});

Deno.test("a ring between the look and the sleep is heard", () => {
  const doorbell = Doorbell.create();
  doorbell.sleep(() => {
    doorbell.ring();
    return true;
  });
});

Deno.test("a sleep has an end also when nobody rings", () => {
  const doorbell = Doorbell.create();
  doorbell.ring();
  doorbell.sleep(() => true, 1);
});

Deno.test("a gate holds a thread back until it is opened", async () => {
  const gate = Gate.create();
  await using sleeper = new Sleeper({ kind: "gate", gate: gate.memory });
  await sleeper.words(1);
  assertEquals(sleeper.said, ["started"]);
  gate.open();
  await sleeper.words(2);
});

Deno.test("a gate that is open lets everybody pass", () => {
  const gate = Gate.create();
  gate.open();
  gate.pass();
  Gate.attach(gate.memory).pass();
});
