/** What the sink has refused for good of one input, and has not been reported yet. */
export class Refused {
  lines = 0;
  bytes = 0;
  /** When it had come in, in microseconds since 1970. */
  from = Infinity;
  to = -Infinity;
  /** The beginning of a line was refused, so its rest is not for the sink either. */
  insideLine = false;

  /** @param goesOn the last line of it does */
  add(bytes: number, lines: number, time: number, goesOn: boolean): void {
    this.lines += lines;
    this.bytes += bytes;
    this.from = Math.min(this.from, time);
    this.to = Math.max(this.to, time);
    this.insideLine = goesOn;
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
