/**
 * Wakes one sleeping thread: the flusher, when a ring has something for it.
 * Ringing costs one atomic load while nobody sleeps.
 */

const GENERATION = 0;
const SLEEPING = 1;

export class Doorbell {
  readonly #words: Int32Array;

  private constructor(readonly memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory);
  }

  static create(): Doorbell {
    return new Doorbell(new SharedArrayBuffer(8));
  }

  static attach(memory: SharedArrayBuffer): Doorbell {
    return new Doorbell(memory);
  }

  /** Any thread, after it has published what the sleeper waits for. */
  ring(): void {
    if (Atomics.load(this.#words, SLEEPING) === 0) return;
    Atomics.add(this.#words, GENERATION, 1);
    Atomics.notify(this.#words, GENERATION);
  }

  /**
   * Sleeps until the bell rings or the time is over, unless `idle` says that there
   * is something to do. One thread only, and not one that has events to serve.
   */
  sleep(idle: () => boolean, timeoutMs = Infinity): void {
    const generation = Atomics.load(this.#words, GENERATION);
    // Said before looking: whoever publishes after the look sees a sleeper.
    Atomics.store(this.#words, SLEEPING, 1);
    if (idle()) Atomics.wait(this.#words, GENERATION, generation, timeoutMs);
    Atomics.store(this.#words, SLEEPING, 0);
  }
}
