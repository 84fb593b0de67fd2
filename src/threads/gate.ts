/** Holds threads back until it is opened, once. Any thread may do either. */
export class Gate {
  readonly #word: Int32Array;

  private constructor(readonly memory: SharedArrayBuffer) {
    this.#word = new Int32Array(memory);
  }

  static create(): Gate {
    return new Gate(new SharedArrayBuffer(4));
  }

  static attach(memory: SharedArrayBuffer): Gate {
    return new Gate(memory);
  }

  open(): void {
    Atomics.store(this.#word, 0, 1);
    Atomics.notify(this.#word, 0);
  }

  /** Blocks the calling thread, which must not be one that serves events. */
  pass(): void {
    Atomics.wait(this.#word, 0, 0);
  }
}
