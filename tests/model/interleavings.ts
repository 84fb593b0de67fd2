/**
 * Tries every order in which the producer's and the consumer's accesses to the
 * shared words can come, and at each the worst that the consumer can see in the
 * ring's memory: what it has no right to look at holds anything.
 *
 * Orders that lead to the same state are followed once from there, and still
 * counted each.
 */

import { assert } from "@std/assert";
import { UNIT } from "../../src/lane/layout.ts";
import { type Access, type Perform, perform, type Words } from "./access.ts";
import {
  Memories,
  type Point,
  type Recorder,
  ReplayedThread,
  type Rest,
  type Snapshot,
} from "./replayed_thread.ts";
import type { Lane } from "../../src/lane/lane.ts";

/** Two threads and the ring between them. */
export interface Model<Produced, Consumed> {
  /** Where head and tail begin, in units of 8 bytes. */
  readonly position: number;
  /** As the producer sees it, and as the consumer does: each has a memory of its own. */
  readonly mine: Lane;
  readonly theirs: Lane;
  produce(perform: Perform, rest: Rest): Produced;
  consume(perform: Perform, rest: Rest): Consumed;
  /** When both have ended. */
  checkEnd(produced: Produced, consumed: Consumed): void;
  /** Sees each of the two between its accesses. */
  readonly recorders?: { readonly producer: Recorder; readonly consumer: Recorder };
  /** In every state, with what the recorders have seen on the way to the next. */
  atState?(
    produced: readonly Snapshot[],
    consumed: readonly Snapshot[],
    words: Words,
  ): void;
}

/** What is found where nothing has been promised: a byte for an offset. */
export type Garbage = (offset: number, step: number) => number;

/** Kinds of garbage, some of which look like headers. `undefined`: what is really there. */
export const GARBAGE: Readonly<Record<string, Garbage | undefined>> = {
  "what is there": undefined,
  "zeros": () => 0,
  "ones": () => 0xff,
  "headers of small frames": (offset) => offset % 8 === 0 ? 8 : 0,
  "headers that end the stream": (offset) => offset % 8 === 0 ? 4 : 0,
  "noise": (offset, step) => Math.imul(offset + 257 * step, 2654435761) >>> 24,
};

export interface Explored {
  readonly states: number;
  readonly transitions: number;
  /** Orders from beginning to end. */
  readonly schedules: bigint;
  /** How often the code under test was run. */
  readonly runs: number;
}

interface State {
  readonly producer: Point;
  readonly consumer: Point;
  readonly words: Words;
}

/** A model larger than this is a mistake in its scenario. */
const MAX_STATES = 5_000_000;

/** In place of a number of orders: they are being followed. */
const OPEN = -1n;

export class Interleavings<Produced, Consumed> {
  readonly #model: Model<Produced, Consumed>;
  readonly #garbage: Garbage | undefined;
  readonly #memories = new Memories();
  readonly #producer: ReplayedThread<Produced>;
  readonly #consumer: ReplayedThread<Consumed>;
  /** For each state, the number of orders from there to the end. */
  readonly #known = new Map<string, bigint>();
  readonly #schedule: string[] = [];
  #transitions = 0;

  constructor(model: Model<Produced, Consumed>, garbage: Garbage | undefined) {
    this.#model = model;
    this.#garbage = garbage;
    const { mine, theirs, recorders } = model;
    this.#producer = new ReplayedThread(
      this.#memories,
      ringOf(mine),
      (perform, rest) => model.produce(perform, rest),
      recorders?.producer,
    );
    this.#consumer = new ReplayedThread(
      this.#memories,
      ringOf(theirs),
      (perform, rest) => model.consume(perform, rest),
      recorders?.consumer,
    );
  }

  /** @throws Error that shows the order of accesses in which an invariant does not hold. */
  explore(): Explored {
    const { position } = this.#model;
    const words = { tail: position, head: position, room: 0 };
    const producer = this.#producer.beginning;
    const consumer = this.#consumer.beginning;
    let schedules: bigint;
    try {
      schedules = this.#from({
        producer,
        consumer,
        words: { ...words, sleeping: 0, everybody: 0, plates: 0, bell: 0, wakeUps: 0 },
      });
    } catch (error) {
      throw new Error(`after this order:\n${this.#schedule.join("\n")}`, {
        cause: error,
      });
    }
    return {
      states: this.#known.size,
      transitions: this.#transitions,
      schedules,
      runs: this.#producer.runs + this.#consumer.runs,
    };
  }

  /** Follows every order from a state to its end; returns how many there are. */
  #from(state: State): bigint {
    const { producer, consumer, words } = state;
    const key = `${producer.id} ${consumer.id} ${Object.values(words)}`;
    const known = this.#known.get(key);
    if (known !== undefined) {
      assert(known !== OPEN, "the threads run in circles");
      return known;
    }
    this.#known.set(key, OPEN);
    this.#checkWords(words);
    assert(this.#known.size < MAX_STATES, "too many states");
    const produced = this.#producer.next(producer);
    const seen = this.#whatConsumerSees(state);
    const consumed = this.#consumer.next(consumer, seen);
    this.#model.atState?.(produced.seen, consumed.seen, words);
    let schedules = 0n;
    if (produced.kind === "access" && !this.#waits(produced.access, words)) {
      schedules += this.#follow("producer", produced.access, (words) => {
        const found = perform(produced.access, words);
        return {
          producer: this.#producer.after(producer, produced.access, found),
          consumer,
        };
      }, words);
    }
    if (consumed.kind === "access" && !this.#waits(consumed.access, words)) {
      const { access } = consumed;
      schedules += this.#follow("consumer", access, (words) => {
        const found = perform(access, words);
        return {
          producer,
          consumer: this.#consumer.after(consumer, access, found, seen),
        };
      }, words);
    }
    if (schedules === 0n) {
      if (produced.kind !== "ended") throw new Error("nobody will wake the producer");
      if (consumed.kind !== "ended") throw new Error("nobody will wake the consumer");
      this.#model.checkEnd(produced.result, consumed.result);
      schedules = 1n;
    }
    this.#known.set(key, schedules);
    return schedules;
  }

  #follow(
    thread: string,
    access: Access,
    step: (words: Words) => Omit<State, "words">,
    before: Words,
  ): bigint {
    const words = { ...before };
    this.#transitions++;
    this.#schedule.push(`${thread}: ${Object.values(access).join(" ")}`);
    const schedules = this.#from({ ...step(words), words });
    this.#schedule.pop();
    return schedules;
  }

  #waits(access: Access, words: Words): boolean {
    return access.kind === "poll" && words[access.word] === 0;
  }

  /**
   * The ring as the consumer may find it between its last access and its next.
   * Right is what lies between the tail and the head it has seen, unless the
   * producer may be writing there at this moment; all else is garbage.
   */
  #whatConsumerSees({ producer, consumer, words }: State): number {
    const looks = consumer.access?.kind === "load" && consumer.access.word === "head";
    const { ringBytes } = this.#model.mine;
    const now = this.#producer.next(producer).ring;
    const before = producer.before === undefined
      ? now
      : this.#producer.next(producer.before).ring;
    const seen = now.slice();
    const units = ringBytes / UNIT;
    const promised = looks ? Math.max(0, consumer.found - words.tail) * UNIT : 0;
    for (let offset = 0; offset < ringBytes; offset++) {
      const fromTail = (offset - words.tail % units * UNIT + ringBytes) % ringBytes;
      const right = fromTail < promised && now[offset] === before[offset];
      if (right) continue;
      seen[offset] = this.#garbage === undefined
        ? (looks ? now[offset]! : 0)
        : this.#garbage(offset, consumer.depth);
    }
    return this.#memories.keyOf(seen);
  }

  #checkWords({ tail, head }: Words): void {
    assert(tail <= head, "the tail is past the head");
    assert(
      (head - tail) * UNIT <= this.#model.mine.ringBytes,
      "more than the ring holds",
    );
  }
}

function ringOf({ memory, ringAt, ringBytes }: Lane): Uint8Array {
  return new Uint8Array(memory.buffer, ringAt, ringBytes);
}
