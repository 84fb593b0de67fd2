import type { Board } from "../threads/board.ts";
import type { Reports } from "../report/reports.ts";

/** How often the board is looked at while something happens. */
const TICK_MS = 1000;

/**
 * Looks at the board again and again while something happens, and lets this thread
 * rest while nothing goes on that could be reported. Control thread only.
 */
export class BoardWatch {
  readonly #board: Board;
  readonly #reports: Reports;
  /** Undefined while this thread rests. */
  #ticks: ReturnType<typeof setInterval> | undefined;
  #restsSinceMs: number | undefined;

  constructor(board: Board, reports: Reports) {
    this.#board = board;
    this.#reports = reports;
  }

  /**
   * Since when nothing has happened, on the clock of `performance.now`; undefined while
   * something may.
   */
  get restsSinceMs(): number | undefined {
    return this.#restsSinceMs;
  }

  /** Something has happened. */
  wake(): void {
    this.#restsSinceMs = undefined;
    this.#reports.observe();
    this.#ticks ??= setInterval(() => this.#tick(), TICK_MS);
  }

  #tick(): void {
    // Not sooner: while lines are being lost, the reader would otherwise send a
    // message for nearly every push, and spend on it what its writer waits for.
    this.#board.acknowledgeLoss();
    this.#reports.observe();
    // Said before looking: a reader that reads after the look sees a thread at rest.
    this.#board.beginRest();
    if (this.#reports.settled) {
      clearInterval(this.#ticks);
      this.#ticks = undefined;
      this.#restsSinceMs = performance.now();
    } else {
      this.#board.endRest();
    }
  }
}
