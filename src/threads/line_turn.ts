/**
 * Whose turn it is on a descriptor that two threads write to: an output that passes on
 * lines of any length in as many writes as it takes, and reports. Neither begins inside
 * a line of the other, unless that line is not finished for long.
 *
 *      free ──begin──▶ output writes ──its line goes on──▶ inside a line
 *       │ ▲                  └──a newline was the last byte──▶ free
 *       ▼ │                                 inside a line ──▶ output writes, reports write
 *      reports write
 */
const FREE = 0;
const OUTPUT_WRITES = 1;
const INSIDE_A_LINE = 2;
const REPORTS_WRITE = 3;

export class LineTurn {
  readonly #word: Int32Array;

  private constructor(readonly memory: SharedArrayBuffer) {
    this.#word = new Int32Array(memory);
  }

  static create(): LineTurn {
    return new LineTurn(new SharedArrayBuffer(4));
  }

  static attach(memory: SharedArrayBuffer): LineTurn {
    return new LineTurn(memory);
  }

  /** The output may write now; false while a report is being written. */
  beginOutput(): boolean {
    return this.#change(FREE, OUTPUT_WRITES) ||
      this.#change(INSIDE_A_LINE, OUTPUT_WRITES);
  }

  /** The output has written. @param insideLine its last byte so far is no newline */
  endOutput(insideLine: boolean): void {
    Atomics.store(this.#word, 0, insideLine ? INSIDE_A_LINE : FREE);
  }

  /**
   * Reports may be written now: after a newline of their own if "inside a line".
   *
   * @param breakLine also where the output is inside a line
   */
  beginReports(breakLine: boolean): "yes" | "inside a line" | "no" {
    if (this.#change(FREE, REPORTS_WRITE)) return "yes";
    if (breakLine && this.#change(INSIDE_A_LINE, REPORTS_WRITE)) return "inside a line";
    return "no";
  }

  /** @param insideLine of the output: nothing has been written */
  endReports(insideLine: boolean): void {
    Atomics.store(this.#word, 0, insideLine ? INSIDE_A_LINE : FREE);
  }

  #change(from: number, to: number): boolean {
    return Atomics.compareExchange(this.#word, 0, from, to) === from;
  }
}
