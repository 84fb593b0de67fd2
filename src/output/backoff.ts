const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;
/** How long an interruption may go unnoticed. */
const SLICE_MS = 500;
/** Pauses are longer by up to this share, so that many senders do not come back at once. */
const JITTER = 0.25;

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
    const end = this.#begin(0);
    for (;;) {
      const left = end - performance.now();
      if (left <= 0 || interrupted()) return;
      Atomics.wait(this.#never, 0, 0, Math.min(left, SLICE_MS));
    }
  }

  /**
   * The same for whoever has events to serve in the meantime.
   *
   * @param atLeastMs how long somebody has asked us to wait
   */
  async pauseServing(interrupted: () => boolean, atLeastMs: number): Promise<void> {
    const end = this.#begin(atLeastMs);
    for (;;) {
      const left = end - performance.now();
      if (left <= 0 || interrupted()) return;
      await new Promise((resolve) => setTimeout(resolve, Math.min(left, SLICE_MS)));
    }
  }

  /** When the pause that begins now is over, on the clock of `performance.now`. */
  #begin(atLeastMs: number): number {
    this.#failing = true;
    const pauseMs = this.#nextMs * (1 + JITTER * Math.random());
    this.#nextMs = Math.min(this.#longestMs, this.#nextMs * 2);
    return performance.now() + Math.max(pauseMs, atLeastMs);
  }

  /** It works again. */
  reset(): void {
    this.#failing = false;
    this.#nextMs = this.#firstMs;
  }
}
