import type { Batch } from "../lane/batch.ts";
import type { Format, Gap, Outgoing, Progress, Stream } from "./format.ts";
import { gapSentence } from "./gap_sentence.ts";
import { MarkerPiece } from "./marker_piece.ts";

const NEWLINE = 10;

const AT_LINE_START = 0;
const INSIDE_THIS = 1;
const INSIDE_ANOTHER = 2;

/**
 * The input's own bytes, written from where the ring has put them. A newline is
 * added only where a marker, a line of another input, or the line after a gap
 * would otherwise be in the middle of a line.
 */
export class RawFormat implements Format {
  readonly #piece = new BatchPiece();
  #begun = false;
  /** The input inside whose line the output is. */
  #inside: Stream | null | undefined;

  get atLineStart(): boolean {
    return this.#inside === undefined;
  }

  begin(batch: Batch, stream: Stream): void {
    const startsInside = this.#inside !== undefined;
    let prefix = 0;
    if (batch.bytes > 0) {
      if (startsInside && (this.#inside !== stream || !batch.startsInside)) {
        stream.memory[stream.handAt - 1] = NEWLINE;
        prefix = 1;
      }
      const last = stream.memory[stream.handAt + batch.bytes - 1];
      this.#inside = last === NEWLINE ? undefined : stream;
    }
    this.#piece.set(batch, stream, prefix, startsInside, this.#inside !== undefined);
    this.#begun = true;
  }

  next(): Outgoing | undefined {
    if (!this.#begun) return undefined;
    this.#begun = false;
    return this.#piece;
  }

  state(stream: Stream): number {
    if (this.#inside === undefined) return AT_LINE_START;
    return this.#inside === stream ? INSIDE_THIS : INSIDE_ANOTHER;
  }

  resume(stream: Stream, state: number): void {
    if (state === AT_LINE_START) this.#inside = undefined;
    else this.#inside = state === INSIDE_THIS ? stream : null;
  }

  marker(gap: Gap, { label, run }: Stream): Outgoing {
    const startsInside = this.#inside !== undefined;
    this.#inside = undefined;
    const marker = `${gapSentence(gap)}\n`;
    const records = startsInside ? ["\n", marker] : [marker];
    const origin = { label, run, firstByte: gap.nextByte };
    return new MarkerPiece(origin, records, startsInside);
  }

  /** The output may still be inside its last line, which has no newline. */
  forget(): void {}
}

/** A batch as it is in the hand, after `prefix` bytes that are not the input's. */
class BatchPiece implements Outgoing {
  #batch!: Batch;
  #stream!: Stream;
  #prefix = 0;
  startsInside = false;
  endsInside = false;
  readonly #progress: Progress = { bytes: 0, lines: 0 };
  #bytes: Uint8Array | undefined;

  set(
    batch: Batch,
    stream: Stream,
    prefix: number,
    startsInside: boolean,
    endsInside: boolean,
  ): void {
    this.#batch = batch;
    this.#stream = stream;
    this.#prefix = prefix;
    this.startsInside = startsInside;
    this.endsInside = endsInside;
    this.#progress.bytes = this.#progress.lines = 0;
    this.#bytes = undefined;
  }

  get label(): string {
    return this.#stream.label;
  }

  get run(): string {
    return this.#stream.run;
  }

  get firstByte(): number {
    return this.#batch.firstByte;
  }

  get length(): number {
    return this.#prefix + this.#batch.bytes;
  }

  get address(): number {
    return this.#stream.address + this.#begin;
  }

  get bytes(): Uint8Array {
    this.#bytes ??= this.#stream.memory.subarray(this.#begin, this.#begin + this.length);
    return this.#bytes;
  }

  recordEnd(at: number): number {
    return this.bytes.indexOf(NEWLINE, at) + 1 || this.length;
  }

  recordStart(at: number): number {
    return at === 0 ? 0 : this.bytes.lastIndexOf(NEWLINE, at - 1) + 1;
  }

  /** Bytes are counted as they are written: raw output may be inside a line. */
  progress(written: number): Readonly<Progress> {
    const { handAt, kernels } = this.#stream;
    const progress = this.#progress;
    const bytes = Math.max(0, written - this.#prefix);
    // Sinks that take little at a time ask often, and nearly always for more.
    if (bytes < progress.bytes) progress.bytes = progress.lines = 0;
    progress.lines = written === this.length ? this.#batch.lines : progress.lines +
      kernels.countNewlines(handAt + progress.bytes, bytes - progress.bytes);
    progress.bytes = bytes;
    return progress;
  }

  get #begin(): number {
    return this.#stream.handAt - this.#prefix;
  }
}
