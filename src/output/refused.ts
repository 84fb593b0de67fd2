/** What the sink has refused for good of one input, and has not been reported yet. */
export class Refused {
  lines = 0;
  bytes = 0;
  /** When it had come in, in microseconds since 1970. */
  from = Infinity;
  to = -Infinity;
  /** Numbers the line that goes to the sink now: another one from that line's end on. */
  line = 0;
  #refusedLine = -1;

  /** @param line the number of its last line, if that went on after it */
  add(bytes: number, lines: number, time: number, line: number | undefined): void {
    // A marker that was refused holds nothing of the input.
    if (bytes === 0 && lines === 0) return;
    this.lines += lines;
    this.bytes += bytes;
    this.from = Math.min(this.from, time);
    this.to = Math.max(this.to, time);
    if (line !== undefined) this.#refusedLine = line;
  }

  /** The beginning of a line was refused, so its rest is not for the sink either. */
  get insideLine(): boolean {
    return this.#refusedLine === this.line;
  }

  get isEmpty(): boolean {
    return this.bytes === 0 && this.lines === 0;
  }

  /** It was reported. */
  clear(): void {
    this.lines = this.bytes = 0;
    this.from = Infinity;
    this.to = -Infinity;
  }
}
