const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;
/** Pauses are longer by up to this share, so that many senders do not come back at once. */
const JITTER = 0.25;

/** When to try again what fails: after pauses that grow. It waits for nothing itself. */
export class Backoff {
  readonly #firstMs: number;
  readonly #longestMs: number;
  #nextMs: number;
  #retryAtMs: number | undefined;

  constructor(firstMs = FIRST_PAUSE_MS, longestMs = LONGEST_PAUSE_MS) {
    this.#firstMs = this.#nextMs = firstMs;
    this.#longestMs = longestMs;
  }

  /** True from the first failure until `reset`. */
  get failing(): boolean {
    return this.#retryAtMs !== undefined;
  }

  /** When the next attempt is due, on the clock of `nowMs`; -Infinity while all is well. */
  get retryAtMs(): number {
    return this.#retryAtMs ?? -Infinity;
  }

  /**
   * An attempt has failed.
   *
   * @param atLeastMs how long somebody has asked us to wait
   */
  failed(nowMs: number, atLeastMs = 0): void {
    const pauseMs = this.#nextMs * (1 + JITTER * Math.random());
    this.#nextMs = Math.min(this.#longestMs, this.#nextMs * 2);
    this.#retryAtMs = nowMs + Math.max(pauseMs, atLeastMs);
  }

  /** It works again. */
  reset(): void {
    this.#retryAtMs = undefined;
    this.#nextMs = this.#firstMs;
  }
}
