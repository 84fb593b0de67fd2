/** What one thread does to the words that both threads see, as a value. */

import type { DoorbellAtomics } from "../../src/threads/doorbell.ts";
import { HEAD, ROOM, TAIL } from "../../src/lane/layout.ts";
import type { RingAtomics } from "../../src/lane/ring_producer.ts";

/** The ring's three words, the doorbell's three, and the two counters that wake a thread. */
export interface Words {
  tail: number;
  head: number;
  room: number;
  sleeping: number;
  everybody: number;
  plates: number;
  /** What the doorbell has signalled. */
  bell: number;
  wakeUps: number;
}

export type Access =
  | { readonly kind: "load"; readonly word: keyof Words }
  | { readonly kind: "store"; readonly word: keyof Words; readonly value: number }
  | { readonly kind: "add"; readonly word: keyof Words; readonly amount: number }
  | {
    readonly kind: "or" | "and" | "exchange";
    readonly word: keyof Words;
    readonly value: number;
  }
  | {
    readonly kind: "compareExchange";
    readonly word: keyof Words;
    readonly expected: number;
    readonly value: number;
  }
  /** Waits in poll(2) until the counter has counted, and sets it back. */
  | { readonly kind: "poll"; readonly word: "bell" | "wakeUps" };

/** Makes an access and returns what it finds. */
export type Perform = (access: Access) => number;

export function ringAtomics(perform: Perform): RingAtomics {
  return {
    load: (at) => perform({ kind: "load", word: ringWord(at) }),
    store: (at, value) => void perform({ kind: "store", word: ringWord(at), value }),
    compareExchange: (at, expected, value) =>
      perform({ kind: "compareExchange", word: ringWord(at), expected, value }),
  };
}

export function doorbellAtomics(perform: Perform): DoorbellAtomics {
  return {
    load: (_, index) => perform({ kind: "load", word: bellWord(index) }),
    store: (_, index, value) =>
      void perform({ kind: "store", word: bellWord(index), value }),
    or: (_, index, value) => void perform({ kind: "or", word: bellWord(index), value }),
    and: (_, index, value) => void perform({ kind: "and", word: bellWord(index), value }),
    exchange: (_, index, value) =>
      perform({ kind: "exchange", word: bellWord(index), value }),
    signal: () => void perform({ kind: "add", word: "bell", amount: 1 }),
  };
}

function ringWord(at: number): keyof Words {
  if (at === TAIL) return "tail";
  if (at === HEAD) return "head";
  if (at === ROOM) return "room";
  throw new Error(`the ring has no word at ${at}`);
}

function bellWord(index: number): keyof Words {
  return (["sleeping", "everybody", "plates"] as const)[index]!;
}

/** Makes the access to the words; a wait is the scheduler's to make. */
export function perform(access: Access, words: Words): number {
  switch (access.kind) {
    case "load":
      return words[access.word];
    case "store":
      words[access.word] = access.value;
      return 0;
    case "add":
      words[access.word] += access.amount;
      return 0;
    case "compareExchange": {
      const found = words[access.word];
      if (found === access.expected) words[access.word] = access.value;
      return found;
    }
    case "or":
      words[access.word] |= access.value;
      return 0;
    case "and":
      words[access.word] &= access.value;
      return 0;
    case "exchange": {
      const found = words[access.word];
      words[access.word] = access.value;
      return found;
    }
    case "poll":
      words[access.word] = 0;
      return 0;
  }
}
