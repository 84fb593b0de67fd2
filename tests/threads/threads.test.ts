import { assert, assertEquals } from "@std/assert";
import { Worker } from "node:worker_threads";
import { Doorbell } from "../../src/threads/doorbell.ts";
import { clear } from "../../src/system/event_counter.ts";
import { poll, POLLIN } from "../../src/system/poll.ts";
import { Gate } from "../../src/threads/gate.ts";
import type { Job } from "./sleeper.ts";

const DEADLINE_MS = 120_000;

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
    doorbell.ring(0);
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

/** The plates that are called, in the order in which they are answered. */
function called(doorbell: Doorbell, plates: number): number[] {
  const visited: number[] = [];
  doorbell.answer(plates, (plate) => visited.push(plate));
  return visited;
}

function signalled({ memory: { counter } }: Doorbell): boolean {
  return poll(counter, POLLIN, 0) !== 0;
}

Deno.test("each plate that was rung is answered once", () => {
  const doorbell = Doorbell.create();
  for (const plate of [31, 5, 32, 5, 99]) doorbell.ring(plate);
  assertEquals(called(doorbell, 100), [5, 31, 32, 99]);
  assertEquals(called(doorbell, 100), []);
  doorbell.ringAll();
  assertEquals(called(doorbell, 34).length, 34);
});

Deno.test("nobody falls asleep while somebody is called", () => {
  const doorbell = Doorbell.create();
  doorbell.ring(40);
  assert(!doorbell.beginSleep(64));
  doorbell.endSleep();
  doorbell.answer(64, () => {});
  doorbell.ringAll();
  assert(!doorbell.beginSleep(64));
});

Deno.test("a ring between the look and the sleep wakes the sleeper, once", () => {
  const doorbell = Doorbell.create();
  assert(doorbell.beginSleep(64));
  assert(!signalled(doorbell));
  doorbell.ring(0);
  assert(signalled(doorbell));
  clear(doorbell.memory.counter);
  doorbell.ring(33);
  assert(!signalled(doorbell), "it is awake already");
});

Deno.test("a plate that is muted calls nobody, until it is no more", () => {
  const doorbell = Doorbell.create();
  doorbell.mute(3);
  doorbell.ring(3);
  assert(doorbell.beginSleep(8));
  doorbell.ring(3);
  assert(!signalled(doorbell));
  doorbell.endSleep();
  assertEquals(called(doorbell, 8), []);
  doorbell.ring(4);
  assertEquals(called(doorbell, 8), [4]);
  doorbell.ringAll();
  assert(called(doorbell, 8).includes(3), "whoever rings for all means all");
  doorbell.unmute(3);
  assertEquals(called(doorbell, 8), []);
  doorbell.ring(3);
  assertEquals(called(doorbell, 8), [3]);
});

Deno.test("a gate holds a thread back until it is opened", async () => {
  const gate = Gate.create(1);
  await using sleeper = new Sleeper({ kind: "gate", gate: gate.memory });
  await sleeper.words(1);
  assertEquals(sleeper.said, ["started"]);
  gate.arrive();
  await sleeper.words(2);
});

Deno.test("a gate that is open lets everybody pass", () => {
  const gate = Gate.create(1);
  gate.arrive();
  gate.pass(Infinity);
  Gate.attach(gate.memory).pass(0);
});

Deno.test("a gate that stays closed lets everybody pass when the time is over", () => {
  const gate = Gate.create(1);
  const startMs = performance.now();
  gate.pass(10);
  assert(performance.now() - startMs >= 10);
});
