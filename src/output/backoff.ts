const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;
/** How long an interruption may go unnoticed. */
const SLICE_MS = 500;

/** Growing pauses between the attempts at something that fails. */
export class Backoff {
  readonly #never = new Int32Array(new SharedArrayBuffer(4));
  readonly #firstMs: number;
  readonly #longestMs: number;
  #nextMs: number;
  #failing = false;

  constructor(firstMs = FIRST_PAUSE_MS, longestMs = LONGEST_PAUSE_MS) {
    this.#firstMs = this.#nextMs = firstMs;
    this.#longestMs = longestMs;
  }

  /** True from the first pause until `reset`. */
  get failing(): boolean {
    return this.#failing;
  }

  /** Blocks the calling thread for the next pause, or until `interrupted` says so. */
  pause(interrupted: () => boolean): void {
    this.#failing = true;
    const end = performance.now() + this.#nextMs;
    this.#nextMs = Math.min(this.#longestMs, this.#nextMs * 2);
    for (;;) {
      const left = end - performance.now();
      if (left <= 0 || interrupted()) return;
      Atomics.wait(this.#never, 0, 0, Math.min(left, SLICE_MS));
    }
  }

  /** It works again. */
  reset(): void {
    this.#failing = false;
    this.#nextMs = this.#firstMs;
  }
}
