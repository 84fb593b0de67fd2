import type { Outgoing, Progress, Stream } from "./format.ts";

/** Records that one piece may hold; with the area's size, what bounds a piece. */
const MAX_RECORDS = 8192;

/** Records of one batch, as they lie in the output area. */
export class RecordPiece implements Outgoing {
  readonly #stream: Stream;
  readonly #outputAt: number;
  /** Where each record ends in the piece, and its message in the input of the piece. */
  readonly #ends = new Uint32Array(MAX_RECORDS);
  readonly #inputEnds = new Uint32Array(MAX_RECORDS);
  #records = 0;
  #inputAt = 0;
  #lines = 0;
  /** How far the lines have been counted, and how many they are so far. */
  #countedBytes = 0;
  #countedLines = 0;
  readonly #progress: Progress = { bytes: 0, lines: 0 };
  firstByte = 0;
  readonly startsInside = false;
  readonly endsInside = false;

  /** @param outputAt offset in the shared memory where pieces begin */
  constructor(stream: Stream, outputAt: number) {
    this.#stream = stream;
    this.#outputAt = outputAt;
  }

  /**
   * Empties the piece.
   *
   * @param inputAt offset of the input that comes next
   * @param firstByte its number in the stream
   */
  clear(inputAt: number, firstByte: number): void {
    this.firstByte = firstByte;
    this.#records = 0;
    this.#inputAt = inputAt;
    this.#countedBytes = this.#countedLines = 0;
  }

  get full(): boolean {
    return this.#records === MAX_RECORDS;
  }

  /** Adds a record. @param end and @param inputEnd are offsets in the shared memory */
  add(end: number, inputEnd: number): void {
    this.#ends[this.#records] = end - this.#outputAt;
    this.#inputEnds[this.#records] = inputEnd - this.#inputAt;
    this.#records++;
  }

  /** @param lines how many end in the whole piece */
  complete(lines: number): void {
    this.#lines = lines;
  }

  get label(): string {
    return this.#stream.label;
  }

  get run(): string {
    return this.#stream.run;
  }

  get length(): number {
    return this.#records === 0 ? 0 : this.#ends[this.#records - 1]!;
  }

  get address(): number {
    return this.#stream.address + this.#outputAt;
  }

  get bytes(): Uint8Array {
    return this.#stream.memory.subarray(this.#outputAt, this.#outputAt + this.length);
  }

  recordEnd(at: number): number {
    return this.#ends[this.#recordsWithin(at)]!;
  }

  recordStart(at: number): number {
    const records = this.#recordsWithin(at);
    return records === 0 ? 0 : this.#ends[records - 1]!;
  }

  progress(written: number): Readonly<Progress> {
    const progress = this.#progress;
    const records = this.#recordsWithin(written);
    progress.bytes = records === 0 ? 0 : this.#inputEnds[records - 1]!;
    progress.lines = records === this.#records
      ? this.#lines
      : this.#countLines(progress.bytes);
    return progress;
  }

  inputBytes(from: number, to: number): Uint32Array {
    const first = this.#recordsWithin(from);
    const ends = this.#inputEnds.slice(first, this.#recordsWithin(to));
    const begin = first === 0 ? 0 : this.#inputEnds[first - 1]!;
    // From the last to the first, so that what is subtracted is still an end.
    for (let at = ends.length - 1; at > 0; at--) ends[at]! -= ends[at - 1]!;
    if (ends.length > 0) ends[0]! -= begin;
    return ends;
  }

  /** Lines that end within the first `bytes` bytes of input; counted from where it stopped. */
  #countLines(bytes: number): number {
    if (bytes < this.#countedBytes) this.#countedBytes = this.#countedLines = 0;
    this.#countedLines += this.#stream.kernels.countNewlines(
      this.#inputAt + this.#countedBytes,
      bytes - this.#countedBytes,
    );
    this.#countedBytes = bytes;
    return this.#countedLines;
  }

  /** How many records end within the first `bytes` bytes. */
  #recordsWithin(bytes: number): number {
    let low = 0;
    let high = this.#records;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ends[middle]! <= bytes) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
