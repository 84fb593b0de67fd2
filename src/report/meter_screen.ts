const ESC = "\x1b[";
const ERASE_LINE_END = `${ESC}K`;
const ERASE_BELOW = `${ESC}J`;

/**
 * What must be written to draw lines in place of those that were drawn before,
 * and to take them away again. The cursor rests at the beginning of the last
 * line, where an echoed ^C cannot push it to the next one. Nothing else of the
 * terminal is changed, so that even a killed program leaves it in order.
 */
export class MeterScreen {
  /** Columns that each line on the screen takes. */
  #drawn: number[] = [];

  /**
   * @param lines with colours or without
   * @param widths of the same lines, in columns
   * @param columns of the terminal at this moment
   */
  draw(lines: readonly string[], widths: readonly number[], columns: number): string {
    const back = this.#toTop(columns);
    this.#drawn = [...widths];
    return `\r${back}${lines.join(`${ERASE_LINE_END}\r\n`)}${ERASE_BELOW}\r`;
  }

  erase(columns: number): string {
    if (this.#drawn.length === 0) return "";
    const back = this.#toTop(columns);
    this.#drawn = [];
    return `\r${back}${ERASE_BELOW}`;
  }

  /** Others have written to the terminal: what was drawn stays where it is. */
  forget(): void {
    this.#drawn = [];
  }

  /** A terminal that has become narrower has wrapped what it shows. */
  #toTop(columns: number): string {
    const rowsAbove = this.#drawn.slice(0, -1).reduce(
      (rows, width) => rows + Math.max(1, Math.ceil(width / Math.max(1, columns))),
      0,
    );
    return rowsAbove === 0 ? "" : `${ESC}${rowsAbove}A`;
  }
}
