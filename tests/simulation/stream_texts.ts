/** What an output says of each of its inputs, as if each had had raw output of its own. */

import { assertEquals } from "@std/assert";
import type { Outgoing } from "../../src/formats/format.ts";
import type { FormatName } from "../../src/formats/formats.ts";
import { parseRecord } from "../formats/parsed_record.ts";

const NEWLINE = "\n";

/** What the pieces are that come next. */
interface Origin {
  readonly label: string;
  readonly kind: "marker" | "batch";
}

/**
 * Follows what a sink takes. A newline that raw output adds between two inputs is
 * left out here; one before a marker stays.
 */
export class StreamTexts {
  readonly #format: FormatName;
  readonly #texts = new Map<string, string>();
  #origin!: Origin;
  /** Raw output: the input that wrote last, and whether it left its line open. */
  #writer = "";
  #inside = false;
  /** A gap was noted without a marker: the newline after it is only for it. */
  #afterGap = false;
  /** How much of the piece was taken. */
  #takenTo = 0;
  /** What was taken of a marker that is not complete. */
  #marker = "";
  /** Where the record begins that is not complete in its piece. */
  #recordAt: number | undefined;

  constructor(format: FormatName) {
    this.#format = format;
  }

  /** The next pieces are of that input. */
  begin(origin: Origin): void {
    assertEquals([this.#marker, this.#recordAt], ["", undefined], "all is taken");
    this.#origin = origin;
    this.#afterGap = false;
    this.beginPiece();
  }

  beginPiece(): void {
    this.#takenTo = 0;
  }

  /** Lines are missing here, and no marker says so. @param sentence as one would */
  tell(label: string, sentence: string): void {
    const text = this.of(label);
    this.#texts.set(label, `${text}${sentence}${NEWLINE}`);
    this.#afterGap = this.#format === "raw" ? this.#inside : isInside(text);
  }

  of(label: string): string {
    return this.#texts.get(label) ?? "";
  }

  took(piece: Outgoing, from: number, bytes: number): void {
    assertEquals(from, this.#takenTo, "nothing is left out and nothing comes twice");
    if (bytes === 0) return;
    this.#takenTo += bytes;
    if (this.#format === "raw") this.#tookRaw(piece, from, bytes);
    else this.#tookRecords(piece, from, bytes);
    if (this.#marker === "" || this.#takenTo < piece.length) return;
    const { label } = this.#origin;
    this.#texts.set(label, this.of(label) + this.#marker);
    this.#marker = "";
  }

  #tookRaw(piece: Outgoing, from: number, bytes: number): void {
    const { label } = this.#origin;
    let text = latin1(piece.bytes.subarray(from, from + bytes));
    const added = from === 0 && this.#inside &&
      (this.#writer !== label || this.#afterGap);
    this.#inside = isInside(text);
    this.#writer = label;
    if (added) {
      assertEquals(text[0], NEWLINE, "a line of another input begins a line");
      text = text.slice(1);
    }
    this.#afterGap = false;
    this.#append(text);
  }

  #tookRecords(piece: Outgoing, from: number, bytes: number): void {
    for (let at = from; at < from + bytes;) {
      const recordEnd = piece.recordEnd(at);
      const end = Math.min(recordEnd, from + bytes);
      if (end === recordEnd) {
        this.#takeRecord(piece.bytes.slice(this.#recordAt ?? at, end));
      }
      this.#recordAt = end === recordEnd ? undefined : this.#recordAt ?? at;
      at = end;
    }
  }

  #takeRecord(record: Uint8Array): void {
    const format = this.#format;
    if (format === "raw") throw new Error("raw output has no records");
    const { message, stream, goesOn } = parseRecord(format, record);
    assertEquals(stream, this.#origin.label);
    if (this.#afterGap) {
      this.#afterGap = false;
      assertEquals([message, goesOn], ["", false], "the line before the gap is ended");
    } else {
      this.#append(goesOn ? message : `${message}${NEWLINE}`);
    }
  }

  /** A marker counts when it is complete: it may first end the line before it. */
  #append(text: string): void {
    if (this.#origin.kind === "marker") this.#marker += text;
    else this.#texts.set(this.#origin.label, this.of(this.#origin.label) + text);
  }
}

function isInside(text: string): boolean {
  return text !== "" && !text.endsWith(NEWLINE);
}

const decoder = new TextDecoder("latin1");

function latin1(bytes: Uint8Array): string {
  // Shared memory cannot be decoded from.
  return decoder.decode(bytes.slice());
}
