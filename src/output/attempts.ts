import type { TemporaryError } from "../errors.ts";
import { monotonicMs } from "../system/clock.ts";
import type { Board, OutputWords } from "../threads/board.ts";
import { Backoff } from "./backoff.ts";
import type { Sink } from "./sink.ts";
import type { Wait } from "./wait.ts";

/** What is refused for good is reported at most so often; it is counted in any case. */
const REJECTION_REPORT_MS = 10_000;

/** What a delivery tells about the sink. */
export interface SinkEvents {
  /** The sink has failed and is tried again. Once until it recovers. */
  onSinkFailing(message: string): void;
  onSinkRecovered(): void;
  /** What SIGHUP asks for was done, or has failed. */
  onReopened(): void;
  /** Some lines will never be taken. At most once in ten seconds. */
  onSinkRejecting(message: string): void;
}

/**
 * When a sink is tried: always while it works, and after it has failed when a pause is
 * over, or earlier where SIGHUP asks for it to be opened again. Says and counts how that
 * goes. Only on the thread of its output loop.
 */
export class Attempts {
  readonly #sink: Sink;
  readonly #board: Board;
  readonly #words: OutputWords;
  readonly #events: SinkEvents;
  readonly #backoff = new Backoff();
  /** The last attempt failed, and the next is one that is counted as another. */
  #isRetry = false;
  #reopenedFor = 0;
  #rejectionReportMs = -Infinity;

  constructor(sink: Sink, board: Board, words: OutputWords, events: SinkEvents) {
    this.#sink = sink;
    this.#board = board;
    this.#words = words;
    this.#events = events;
  }

  /** False until the pause after a failure is over, unless something new was asked for. */
  mayTry(nowMs: number, wait: Wait): boolean {
    if (!this.#isRetry) return true;
    const asked = this.reopenIfAsked();
    if (!asked && nowMs < this.#backoff.retryAtMs) {
      wait.until(this.#backoff.retryAtMs);
      return false;
    }
    this.#isRetry = false;
    this.#words.countRetry();
    return true;
  }

  failed(error: TemporaryError, nowMs: number, wait: Wait): void {
    if (!this.#backoff.failing) {
      this.#words.failingSince = monotonicMs();
      this.#events.onSinkFailing(error.message);
    }
    this.#backoff.failed(nowMs, error.retryAfterMs);
    this.#isRetry = true;
    wait.until(this.#backoff.retryAtMs);
    this.reopenIfAsked();
  }

  /** Some bytes it will never take. */
  refused(why: string): void {
    const nowMs = performance.now();
    if (nowMs - this.#rejectionReportMs < REJECTION_REPORT_MS) return;
    this.#rejectionReportMs = nowMs;
    this.#events.onSinkRejecting(why);
  }

  /** It has taken something, or what it had taken has arrived. */
  worked(): void {
    if (!this.#backoff.failing) return;
    this.#backoff.reset();
    this.#isRetry = false;
    this.#words.failingSince = undefined;
    this.#events.onSinkRecovered();
  }

  /** True if SIGHUP has asked for the sink to be opened again since the last call. */
  reopenIfAsked(): boolean {
    const { reopenRequests } = this.#board;
    if (reopenRequests === this.#reopenedFor) return false;
    this.#reopenedFor = reopenRequests;
    this.#sink.reopen?.();
    this.#events.onReopened();
    return true;
  }
}
