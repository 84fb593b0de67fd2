import { pieceLength } from "../piece_length.ts";
import { ENTRY_BYTES, ESCAPE_TABLE_BYTES, escapeTable } from "../kernels/escape_table.ts";
import type { Batch } from "../lane/batch.ts";
import { align } from "../lane/layout.ts";
import type { Gap, Outgoing, Stream } from "./format.ts";
import { MarkerPiece } from "./marker_piece.ts";
import { LINE, type RecordLayout, TIME } from "./record_layout.ts";
import { RecordPiece } from "./record_piece.ts";
import { Template, TEMPLATE_BYTES } from "./template.ts";
import { type Stamp, stampText, Timestamp } from "./timestamp.ts";

/**
 * The output area of a stream's memory:
 *
 *      ┌──────────────────────┬──────────────┬─────────────────┬────────────────┐
 *      │ 5 texts around lines │ escape table │ records         │ the last one's │
 *      └──────────────────────┴──────────────┴─────────────────┴────────────────┘
 *
 * A piece begins no record after PIECE_BYTES of records, and the rest of the area
 * holds the longest record there can be.
 */
const TEXTS = 5;
const TABLE_AT = TEXTS * TEMPLATE_BYTES;
/** What comes before is written once, and must stay for as long as there is the stream. */
export const RECORDS_AT = TABLE_AT + align(ESCAPE_TABLE_BYTES);
/** About what stays in a second-level cache together with the batch. */
const PIECE_BYTES = 256 * 1024;
const LONGEST_ESCAPE_BYTES = ENTRY_BYTES - 1;
/** Two numbers of at most 16 digits and what goes between; what kernels write in excess. */
const SLACK_BYTES = 64;

/** The size of the output area for messages of at most `maxLineBytes`. */
export function outputBytes(maxLineBytes: number): number {
  return RECORDS_AT + PIECE_BYTES + TEXTS * TEMPLATE_BYTES +
    LONGEST_ESCAPE_BYTES * maxLineBytes + SLACK_BYTES;
}

const CARRIAGE_RETURN = 13;
const ZERO = 48;
const DOT = 46;

/** The texts around the messages of one kind, in the stream's memory. */
interface Texts {
  readonly before: Template;
  readonly after: Template;
}

/** Makes the records of one stream. Flusher thread only. */
export class RecordWriter {
  readonly #stream: Stream;
  readonly #layout: RecordLayout;
  readonly #maxLineBytes: number;
  readonly #strips: boolean;
  readonly #escapes: boolean;
  readonly #tableAt: number;
  readonly #recordsAt: number;
  /** What comes before the number of the line, in layouts that have it. */
  readonly #lead: Template | undefined;
  readonly #ends: Texts;
  readonly #goesOn: Texts;
  readonly #piece: RecordPiece;
  readonly #stamp: Stamp;
  #time = NaN;

  /** The record that was written last goes on in the next one. */
  #inside = false;
  /** Number of the line that comes next or goes on, and how many pieces of it came. */
  #line = 0;
  #pieces = 0;

  #batch!: Batch;
  #begun = false;
  #closing: MarkerPiece | undefined;
  /** Where the batch goes on: the frame, and the offset in the memory. */
  #frame = 0;
  #at = 0;
  /** Lines of the batch that earlier pieces have announced. */
  #toldLines = 0;
  /** Where the next record goes. */
  #to = 0;

  constructor(stream: Stream, layout: RecordLayout, maxLineBytes: number) {
    const { memory, outputAt } = stream;
    this.#stream = stream;
    this.#layout = layout;
    this.#stamp = layout.makeStamp?.() ?? new Timestamp();
    this.#maxLineBytes = maxLineBytes;
    this.#strips = layout.stripsCarriageReturn ?? false;
    this.#escapes = layout.escapes !== undefined;
    this.#tableAt = outputAt + TABLE_AT;
    this.#recordsAt = outputAt + RECORDS_AT;
    if (layout.escapes) memory.set(escapeTable(layout.escapes), this.#tableAt);
    let textAt = outputAt;
    const template = (text: string) => {
      const made = new Template(stream, textAt, text);
      textAt += TEMPLATE_BYTES;
      return made;
    };
    const texts = (goesOn: boolean): Texts => {
      const { before, after } = layout.record(stream.label, goesOn, stream.run);
      return { before: template(before.split(LINE).at(-1)!), after: template(after) };
    };
    this.#ends = texts(false);
    this.#goesOn = texts(true);
    const [lead, numbered] = layout.record(stream.label, false, stream.run).before
      .split(LINE);
    this.#lead = numbered === undefined ? undefined : template(lead!);
    this.#piece = new RecordPiece(stream, this.#recordsAt);
  }

  /** How many pieces were written of a line that goes on; 0 between two lines. */
  get piecesOfLine(): number {
    return this.#inside ? this.#pieces : 0;
  }

  set piecesOfLine(pieces: number) {
    this.#pieces = pieces;
    this.#inside = pieces > 0;
  }

  begin(batch: Batch): void {
    if (this.#inside && batch.bytes > 0 && !batch.startsInside) {
      // The rest of the line is lost, and no marker has said so.
      this.#closing = this.#markerPiece(batch.firstByte, [
        this.#endOfLine(batch.gapFrom),
      ]);
    }
    this.#batch = batch;
    this.#begun = true;
    this.#frame = 0;
    this.#at = this.#stream.handAt;
    this.#toldLines = 0;
    this.#line = batch.firstLine;
  }

  next(): Outgoing | undefined {
    const closing = this.#closing;
    if (closing !== undefined) {
      this.#closing = undefined;
      return closing;
    }
    if (!this.#begun) return undefined;
    const batch = this.#batch;
    const piece = this.#piece;
    const from = this.#at;
    piece.clear(from, batch.firstByte + from - this.#stream.handAt);
    this.#to = this.#recordsAt;
    while (this.#frame < batch.frames && this.#hasRoom) this.#writeFrame();
    this.#begun = this.#frame < batch.frames;
    const lines = this.#begun
      ? this.#stream.kernels.countNewlines(from, this.#at - from)
      : batch.lines - this.#toldLines;
    this.#toldLines += lines;
    piece.complete(lines);
    return piece;
  }

  marker(gap: Gap): Outgoing {
    const ends = this.#inside ? [this.#endOfLine(gap.from)] : [];
    const time = this.#timeText(gap.to);
    const { label, run } = this.#stream;
    const marker = this.#layout.marker(gap, label, time, run);
    return this.#markerPiece(gap.nextByte, [...ends, marker]);
  }

  #markerPiece(firstByte: number, records: readonly string[]): MarkerPiece {
    const { label, run } = this.#stream;
    return new MarkerPiece({ label, run, firstByte }, records, false);
  }

  #timeText(micros: number): string {
    const stamp = this.#stamp;
    stamp.set(micros);
    stamp.next?.();
    // What the texts around messages show is no longer what the stamp says.
    this.#time = NaN;
    return stampText(stamp);
  }

  /** An empty last piece, for a line whose rest is lost. */
  #endOfLine(micros: number): string {
    const { label, run } = this.#stream;
    const { before, after } = this.#layout.record(label, false, run);
    const id = `${this.#line + 1}.${this.#pieces}`;
    this.#inside = false;
    this.#pieces = 0;
    return `${before}${after}`.replace(LINE, id).replaceAll(TIME, this.#timeText(micros));
  }

  get #hasRoom(): boolean {
    return this.#to - this.#recordsAt < PIECE_BYTES && !this.#piece.full;
  }

  /** Writes what there is room for of a frame, whose lines arrived at the same time. */
  #writeFrame(): void {
    const { kernels, handAt, memory } = this.#stream;
    const maxBytes = this.#maxLineBytes;
    const end = handAt + this.#batch.frameEnds[this.#frame]!;
    this.#setTime(this.#batch.frameTimes[this.#frame]!);
    while (this.#at < end && this.#hasRoom) {
      const at = this.#at;
      const limit = Math.min(end, at + maxBytes + 1);
      const newline = kernels.indexOfNewline(at, limit - at);
      if (newline < limit) this.#writeEnd(newline);
      else if (limit - at <= maxBytes) this.#writePiece(limit);
      else this.#writePiece(at + pieceLength(memory, at, maxBytes));
    }
    if (this.#at === end) this.#frame++;
  }

  #setTime(micros: number): void {
    if (micros === this.#time) return;
    this.#time = micros;
    this.#stamp.set(micros);
    if (this.#stamp.next !== undefined) return;
    this.#showTime(this.#ends);
    this.#showTime(this.#goesOn);
  }

  #showTime({ before, after }: Texts): void {
    before.setTime(this.#stamp);
    after.setTime(this.#stamp);
  }

  /** The whole line, or the last piece of it, that ends with the newline at `newline`. */
  #writeEnd(newline: number): void {
    const { memory } = this.#stream;
    const strips = this.#strips && newline > this.#at &&
      memory[newline - 1] === CARRIAGE_RETURN;
    this.#write(this.#ends, strips ? newline - 1 : newline, newline + 1);
    this.#inside = false;
    this.#line++;
    this.#pieces = 0;
  }

  #writePiece(end: number): void {
    this.#write(this.#goesOn, end, end);
    this.#inside = true;
    this.#pieces++;
  }

  /** One record. @param end of the message @param inputEnd where the next one begins */
  #write(texts: Texts, end: number, inputEnd: number): void {
    const { before, after } = texts;
    const { kernels } = this.#stream;
    const at = this.#at;
    if (this.#stamp.next !== undefined) {
      this.#stamp.next();
      this.#showTime(texts);
    }
    if (this.#lead !== undefined) this.#writeLead(this.#lead);
    let to = this.#to;
    kernels.copy(to, before.at, before.length);
    to += before.length;
    if (this.#escapes) {
      to = kernels.encode(to, at, end - at, this.#tableAt);
    } else {
      kernels.copy(to, at, end - at);
      to += end - at;
    }
    kernels.copy(to, after.at, after.length);
    to += after.length;
    this.#piece.add(to, inputEnd);
    this.#to = to;
    this.#at = inputEnd;
  }

  #writeLead(lead: Template): void {
    this.#stream.kernels.copy(this.#to, lead.at, lead.length);
    this.#to += lead.length;
    this.#writeDecimal(this.#line + 1);
    if (this.#pieces === 0) return;
    this.#stream.memory[this.#to++] = DOT;
    this.#writeDecimal(this.#pieces);
  }

  #writeDecimal(value: number): void {
    let digits = 1;
    for (let rest = value; rest >= 10; rest /= 10) digits++;
    this.#to += digits;
    for (let at = this.#to - 1; digits > 0; digits--) {
      this.#stream.memory[at--] = ZERO + value % 10;
      value = Math.floor(value / 10);
    }
  }
}
