import { addressOf } from "../platform/posix.ts";
import type { Batch } from "../ring/ring_consumer.ts";
import type { Format, Gap, Outgoing, Progress, Stream } from "./format.ts";
import { gapSentence } from "./gap_sentence.ts";

const NEWLINE = 10;
const NOTHING: Progress = { bytes: 0, lines: 0 };
const encoder = new TextEncoder();

/**
 * The input's own bytes, written from where the ring has put them. A newline is
 * added only where a marker, or a line of another input, would otherwise stand
 * in the middle of a line.
 */
export class RawFormat implements Format {
  readonly #piece = new BatchPiece();
  /** The input inside whose line the output stands. */
  #inside: Stream | undefined;

  get atLineStart(): boolean {
    return this.#inside === undefined;
  }

  batch(batch: Batch, stream: Stream): Outgoing {
    let prefix = 0;
    if (batch.bytes > 0) {
      if (this.#inside !== undefined && this.#inside !== stream) {
        stream.memory[stream.handAt - 1] = NEWLINE;
        prefix = 1;
      }
      const last = stream.memory[stream.handAt + batch.bytes - 1];
      this.#inside = last === NEWLINE ? undefined : stream;
    }
    return this.#piece.of(batch, stream, prefix);
  }

  marker(gap: Gap): Outgoing {
    const text = `${this.#inside === undefined ? "" : "\n"}${gapSentence(gap)}\n`;
    this.#inside = undefined;
    const bytes = encoder.encode(text);
    return {
      bytes,
      length: bytes.length,
      address: addressOf(bytes),
      progress: () => NOTHING,
    };
  }
}

/** A batch as it stands in the hand, after `prefix` bytes that are not the input's. */
class BatchPiece implements Outgoing {
  #batch!: Batch;
  #stream!: Stream;
  #prefix = 0;
  readonly #progress: Progress = { bytes: 0, lines: 0 };

  of(batch: Batch, stream: Stream, prefix: number): this {
    this.#batch = batch;
    this.#stream = stream;
    this.#prefix = prefix;
    return this;
  }

  get length(): number {
    return this.#prefix + this.#batch.bytes;
  }

  get address(): number {
    return this.#stream.address + this.#begin;
  }

  get bytes(): Uint8Array {
    return this.#stream.memory.subarray(this.#begin, this.#begin + this.length);
  }

  progress(written: number): Readonly<Progress> {
    const { handAt, kernels } = this.#stream;
    const progress = this.#progress;
    progress.bytes = Math.max(0, written - this.#prefix);
    progress.lines = written === this.length
      ? this.#batch.lines
      : kernels.countNewlines(handAt, progress.bytes);
    return progress;
  }

  get #begin(): number {
    return this.#stream.handAt - this.#prefix;
  }
}
