import { eventCounter, signal } from "../system/event_counter.ts";

/**
 * How the reader and the control thread call an output loop: a bell with a name plate
 * for each of its outlets. Ringing costs one atomic load while the loop knows already
 * that the outlet has something to do, or does not want to know.
 *
 *      word 0      1 while the loop sleeps, or is about to
 *      word 1      calls to all: bit 0 for every outlet, bit 1 for the loop itself
 *      word 2 …    a bit for each outlet that is called, or need not be
 */

const SLEEPING = 0;
const TO_ALL = 1;
const PLATES = 2;
const PLATES_PER_WORD = 32;

/** What is called by word 1. */
const OUTLETS = 1;
const LOOP = 2;

/** Outlets that one loop can have. */
export const MAX_PLATES = 4096;
const WORDS = PLATES + MAX_PLATES / PLATES_PER_WORD;

/** What the two sides do to its words; tests put a scheduler in its place. */
export interface DoorbellAtomics {
  load(words: Int32Array, index: number): number;
  store(words: Int32Array, index: number, value: number): void;
  or(words: Int32Array, index: number, bits: number): void;
  and(words: Int32Array, index: number, bits: number): void;
  exchange(words: Int32Array, index: number, value: number): number;
  signal(counter: number): void;
}

const REAL: DoorbellAtomics = {
  load: Atomics.load,
  store: Atomics.store,
  or: Atomics.or,
  and: Atomics.and,
  exchange: Atomics.exchange,
  signal,
};

/** What a thread is given to attach to a bell. */
export interface DoorbellMemory {
  readonly words: SharedArrayBuffer;
  /** Readable after a ring that found the loop asleep. */
  readonly counter: number;
}

export class Doorbell {
  readonly #words: Int32Array;
  readonly #counter: number;
  readonly #atomics: DoorbellAtomics;
  /** The loop's: outlets whose bit is set so that nobody calls them. */
  readonly #muted = new Int32Array(WORDS);

  private constructor(readonly memory: DoorbellMemory, atomics: DoorbellAtomics) {
    this.#words = new Int32Array(memory.words);
    this.#counter = memory.counter;
    this.#atomics = atomics;
  }

  /** @throws Error when the process has no descriptor left. */
  static create(): Doorbell {
    const words = new SharedArrayBuffer(WORDS * Int32Array.BYTES_PER_ELEMENT);
    return Doorbell.attach({ words, counter: eventCounter() });
  }

  static attach(memory: DoorbellMemory, atomics: DoorbellAtomics = REAL): Doorbell {
    return new Doorbell(memory, atomics);
  }

  /** Any thread, after it has published what the outlet waits for. */
  ring(plate: number): void {
    const word = PLATES + (plate >>> 5);
    const bit = 1 << (plate & 31);
    if ((this.#atomics.load(this.#words, word) & bit) !== 0) return;
    this.#atomics.or(this.#words, word, bit);
    this.#wake();
  }

  /** Any thread: every outlet is called. */
  ringAll(): void {
    this.#atomics.or(this.#words, TO_ALL, OUTLETS | LOOP);
    this.#wake();
  }

  /** Any thread: something has come for the loop itself, and for no outlet. */
  ringLoop(): void {
    this.#atomics.or(this.#words, TO_ALL, LOOP);
    this.#wake();
  }

  /** One ring wakes a sleeper, and the others need not. */
  #wake(): void {
    if (this.#atomics.load(this.#words, SLEEPING) === 0) return;
    if (this.#atomics.exchange(this.#words, SLEEPING, 0) === 0) return;
    this.#atomics.signal(this.#counter);
  }

  /**
   * The loop: calls `visit` for each outlet that was called since the last time. What
   * is published after an outlet's bit was taken sets it again.
   *
   * @param plates how many outlets there are
   * @returns whether the loop itself was called
   */
  answer(plates: number, visit: (plate: number) => void): boolean {
    const toAll = this.#atomics.load(this.#words, TO_ALL) === 0
      ? 0
      : this.#atomics.exchange(this.#words, TO_ALL, 0);
    const everybody = (toAll & OUTLETS) !== 0;
    for (let first = 0; first < plates; first += PLATES_PER_WORD) {
      const word = PLATES + (first >>> 5);
      const news = this.#atomics.load(this.#words, word) !== this.#muted[word];
      if (!everybody && !news) continue;
      const muted = this.#muted[word]!;
      const called = this.#atomics.exchange(this.#words, word, muted) & ~muted;
      for (let bit = 0; bit < PLATES_PER_WORD && first + bit < plates; bit++) {
        if (everybody || (called & (1 << bit)) !== 0) visit(first + bit);
      }
    }
    return (toAll & LOOP) !== 0;
  }

  /**
   * The loop, while what is in an outlet's lanes does not matter to it, since it waits
   * for its sink: rings for it are free until `unmute`, after which it looks itself.
   */
  mute(plate: number): void {
    const word = PLATES + (plate >>> 5);
    this.#muted[word]! |= 1 << (plate & 31);
    this.#atomics.or(this.#words, word, 1 << (plate & 31));
  }

  unmute(plate: number): void {
    const word = PLATES + (plate >>> 5);
    const bit = 1 << (plate & 31);
    if ((this.#muted[word]! & bit) === 0) return;
    this.#muted[word]! &= ~bit;
    this.#atomics.and(this.#words, word, ~bit);
  }

  /**
   * The loop, before it sleeps in poll(2) or epoll(7): true when nobody was called.
   * From then on a ring makes the counter readable. `endSleep` in any case.
   */
  beginSleep(plates: number): boolean {
    // Said before looking: whoever publishes after the look sees a sleeper.
    this.#atomics.store(this.#words, SLEEPING, 1);
    if (this.#atomics.load(this.#words, TO_ALL) !== 0) return false;
    for (let first = 0; first < plates; first += PLATES_PER_WORD) {
      const word = PLATES + (first >>> 5);
      if (this.#atomics.load(this.#words, word) !== this.#muted[word]) return false;
    }
    return true;
  }

  /** The loop, when it is awake. */
  endSleep(): void {
    this.#atomics.store(this.#words, SLEEPING, 0);
  }
}
