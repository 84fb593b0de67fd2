/** So many of them are told one by one, and within what time. */
const MAX_TOLD = 5;
const WINDOW_MS = 10_000;

/**
 * Notices that may come by the thousand, since whoever may write to a folder decides how
 * many: the first few are told, and then how many others there were. Reader thread only.
 */
export class FewNotices {
  readonly #tell: (input: string, message: string) => void;
  readonly #tellOthers: (count: number) => void;
  #told = 0;
  #untold = 0;
  #endMs = Infinity;

  constructor(
    tell: (input: string, message: string) => void,
    tellOthers: (count: number) => void,
  ) {
    this.#tell = tell;
    this.#tellOthers = tellOthers;
  }

  /** When `tick` has something to do, on the clock of `performance.now`. */
  get deadlineMs(): number {
    return this.#endMs;
  }

  notice(input: string, message: string): void {
    if (this.#told === 0) this.#endMs = performance.now() + WINDOW_MS;
    if (this.#told === MAX_TOLD) {
      this.#untold++;
    } else {
      this.#told++;
      this.#tell(input, message);
    }
  }

  tick(nowMs: number): void {
    if (nowMs < this.#endMs) return;
    if (this.#untold > 0) this.#tellOthers(this.#untold);
    this.#told = this.#untold = 0;
    this.#endMs = Infinity;
  }
}
