/**
 * Wakes one sleeping thread: the flusher, when a ring has something for it.
 * Ringing costs one atomic load while nobody sleeps.
 */

const GENERATION = 0;
const SLEEPING = 1;

/** What the two sides do to its words; tests put a scheduler in its place. */
export interface DoorbellAtomics {
  load(words: Int32Array, index: number): number;
  store(words: Int32Array, index: number, value: number): void;
  add(words: Int32Array, index: number, amount: number): void;
  notify(words: Int32Array, index: number): void;
  wait(words: Int32Array, index: number, expected: number, timeoutMs: number): void;
}

export class Doorbell {
  readonly #words: Int32Array;
  readonly #atomics: DoorbellAtomics;

  private constructor(readonly memory: SharedArrayBuffer, atomics: DoorbellAtomics) {
    this.#words = new Int32Array(memory);
    this.#atomics = atomics;
  }

  static create(): Doorbell {
    return Doorbell.attach(new SharedArrayBuffer(8));
  }

  static attach(
    memory: SharedArrayBuffer,
    atomics: DoorbellAtomics = Atomics,
  ): Doorbell {
    return new Doorbell(memory, atomics);
  }

  /** Any thread, after it has published what the sleeper waits for. */
  ring(): void {
    if (this.#atomics.load(this.#words, SLEEPING) === 0) return;
    this.#atomics.add(this.#words, GENERATION, 1);
    this.#atomics.notify(this.#words, GENERATION);
  }

  /**
   * Sleeps until the bell rings or the time is over, unless `idle` says that there
   * is something to do. One thread only, and not one that has events to serve.
   */
  sleep(idle: () => boolean, timeoutMs = Infinity): void {
    const generation = this.#atomics.load(this.#words, GENERATION);
    // Said before looking: whoever publishes after the look sees a sleeper.
    this.#atomics.store(this.#words, SLEEPING, 1);
    if (idle()) this.#atomics.wait(this.#words, GENERATION, generation, timeoutMs);
    this.#atomics.store(this.#words, SLEEPING, 0);
  }
}
