/** What one thread does to the words that both threads see, as a value. */

import type { DoorbellAtomics } from "../../src/threads/doorbell.ts";
import { HEAD, ROOM, TAIL } from "../../src/lane/layout.ts";
import type { RingAtomics } from "../../src/lane/ring_producer.ts";

/** The ring's three words, the doorbell's two, and the bytes in the reader's wake-up pipe. */
export interface Words {
  tail: number;
  head: number;
  room: number;
  generation: number;
  sleeping: number;
  wakeUps: number;
}

export type Access =
  | { readonly kind: "load"; readonly word: keyof Words }
  | { readonly kind: "store"; readonly word: keyof Words; readonly value: number }
  | { readonly kind: "add"; readonly word: keyof Words; readonly amount: number }
  | {
    readonly kind: "compareExchange";
    readonly word: keyof Words;
    readonly expected: number;
    readonly value: number;
  }
  /** Sleeps if the word is as expected, until somebody notifies. */
  | { readonly kind: "wait"; readonly word: keyof Words; readonly expected: number }
  | { readonly kind: "notify"; readonly word: keyof Words }
  /** Waits in poll(2) for the wake-up pipe, and empties it. */
  | { readonly kind: "poll" };

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
    add: (_, index, amount) =>
      void perform({ kind: "add", word: bellWord(index), amount }),
    notify: (_, index) => void perform({ kind: "notify", word: bellWord(index) }),
    wait: (_, index, expected) =>
      void perform({ kind: "wait", word: bellWord(index), expected }),
  };
}

function ringWord(at: number): keyof Words {
  if (at === TAIL) return "tail";
  if (at === HEAD) return "head";
  if (at === ROOM) return "room";
  throw new Error(`the ring has no word at ${at}`);
}

function bellWord(index: number): keyof Words {
  return index === 0 ? "generation" : "sleeping";
}

/** Makes the access to the words; a sleep is the scheduler's to make. */
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
    case "poll":
      words.wakeUps = 0;
      return 0;
    case "wait":
    case "notify":
      return 0;
  }
}
