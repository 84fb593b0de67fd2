const FREE = 0;
const HELD = 1;

/** Lets one of several threads in at a time. None may be one that serves events. */
export class Lock {
  readonly #word: Int32Array;

  private constructor(memory: SharedArrayBuffer) {
    this.#word = new Int32Array(memory);
  }

  /** @param memory whose first word is the lock; all zero while no one has it */
  static attach(memory: SharedArrayBuffer): Lock {
    return new Lock(memory);
  }

  /** False when another thread has held it all the time. @param patienceMs for one holder */
  acquire(patienceMs: number): boolean {
    while (Atomics.compareExchange(this.#word, 0, FREE, HELD) !== FREE) {
      if (Atomics.wait(this.#word, 0, HELD, patienceMs) === "timed-out") return false;
    }
    return true;
  }

  /** Only by the thread that has acquired it. */
  release(): void {
    Atomics.store(this.#word, 0, FREE);
    Atomics.notify(this.#word, 0, 1);
  }
}
