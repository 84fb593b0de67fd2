/** Holds threads back until as many as are awaited have come. Any thread may do either. */
export class Gate {
  readonly #word: Int32Array;

  private constructor(readonly memory: SharedArrayBuffer) {
    this.#word = new Int32Array(memory);
  }

  /** @param awaited how many have to come */
  static create(awaited: number): Gate {
    const gate = new Gate(new SharedArrayBuffer(4));
    Atomics.store(gate.#word, 0, awaited);
    return gate;
  }

  static attach(memory: SharedArrayBuffer): Gate {
    return new Gate(memory);
  }

  /** One of those that are awaited is there. */
  arrive(): void {
    if (Atomics.sub(this.#word, 0, 1) === 1) Atomics.notify(this.#word, 0);
  }

  /**
   * Blocks the calling thread, which must not be one that serves events, until all have
   * come, or for so long.
   */
  pass(timeoutMs: number): void {
    const untilMs = performance.now() + timeoutMs;
    for (let missing; (missing = Atomics.load(this.#word, 0)) > 0;) {
      const restMs = untilMs - performance.now();
      if (restMs <= 0) return;
      Atomics.wait(this.#word, 0, missing, restMs);
    }
  }
}
