import type { Batch } from "../lane/batch.ts";
import type { Format, Gap, Outgoing, Stream } from "./format.ts";
import type { RecordLayout } from "./record_layout.ts";
import { RecordWriter } from "./record_writer.ts";

/**
 * Any format that makes records. Each stage of a line that two streams share an
 * output in is the stream's own, so that their pieces may come in turns.
 */
export class RecordFormat implements Format {
  /** Records are whole wherever a piece ends. */
  readonly atLineStart = true;
  readonly #layout: RecordLayout;
  readonly #maxLineBytes: number;
  readonly #writers = new Map<Stream, RecordWriter>();
  #writer: RecordWriter | undefined;

  /** @param maxLineBytes what one message may hold; see `outputBytes` */
  constructor(layout: RecordLayout, maxLineBytes: number) {
    this.#layout = layout;
    this.#maxLineBytes = maxLineBytes;
  }

  begin(batch: Batch, stream: Stream): void {
    this.#writer = this.#writerOf(stream);
    this.#writer.begin(batch);
  }

  next(): Outgoing | undefined {
    return this.#writer?.next();
  }

  marker(gap: Gap, stream: Stream): Outgoing {
    return this.#writerOf(stream).marker(gap);
  }

  forget(stream: Stream): void {
    this.#writers.delete(stream);
  }

  state(stream: Stream): number {
    return this.#writerOf(stream).piecesOfLine;
  }

  resume(stream: Stream, state: number): void {
    this.#writerOf(stream).piecesOfLine = state;
  }

  #writerOf(stream: Stream): RecordWriter {
    let writer = this.#writers.get(stream);
    if (writer === undefined) {
      writer = new RecordWriter(stream, this.#layout, this.#maxLineBytes);
      this.#writers.set(stream, writer);
    }
    return writer;
  }
}
