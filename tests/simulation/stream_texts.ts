/** What an output says of each of its inputs, as if each had had raw output of its own. */

import { assert, assertEquals } from "@std/assert";
import type { Outgoing } from "../../src/formats/format.ts";
import type { FormatName } from "../../src/formats/formats.ts";
import { parseRecord } from "../formats/parsed_record.ts";

const NEWLINE = "\n";

/** What the pieces are that come next. */
export interface Origin {
  readonly label: string;
  readonly kind: "marker" | "batch";
  /** Names the batch that they are of, or whose marker it is; the same in a later run. */
  readonly hand: string;
  /** Lines are missing here and no marker says so: this is as one would. */
  readonly untold?: string | undefined;
}

/** All that is known of what was taken. */
interface State {
  readonly texts: ReadonlyMap<string, string>;
  readonly writer: string;
  readonly inside: boolean;
  readonly afterGap: boolean;
  readonly marker: string;
  readonly recordAt: number | undefined;
}

/** What may come again after a kill: nothing, the last write, or any of the last batch. */
export type Repeated = "nothing" | "a write" | "a batch";

/**
 * Follows what a sink takes, in one run after the other. A newline that raw output adds
 * between two inputs is left out here; one before a marker stays.
 */
export class StreamTexts {
  readonly #format: FormatName;
  readonly #repeated: Repeated;
  #texts = new Map<string, string>();
  #origin!: Origin;
  /** What `begin` has said, until something of it is taken. */
  #begun: Origin | undefined;
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
  /** How much the marker and pieces before this one make of the batch. */
  #handBytes = 0;
  #pieceBytes = 0;
  /** The batch of which something was taken last, and how it was after each write. */
  #hand = "";
  #states: [number, State][] = [];
  /** By label, the batch that came last. */
  readonly #hands = new Map<string, string>();
  #wasKilled = false;

  constructor(format: FormatName, repeated: Repeated) {
    this.#format = format;
    this.#repeated = repeated;
  }

  /** What comes now is another run's. */
  killed(): void {
    this.#begun = undefined;
    this.#wasKilled = true;
  }

  /** The next pieces are of that input. */
  begin(origin: Origin): void {
    this.#flush();
    const isNew = origin.hand !== (this.#begun ?? this.#origin)?.hand ||
      this.#begun === undefined && this.#wasKilled;
    this.#begun = origin;
    if (isNew) this.#handBytes = this.#pieceBytes = 0;
  }

  /** A batch of which nothing was taken has nothing to be taken, or was before a kill. */
  #flush(): void {
    const begun = this.#begun;
    if (begun?.untold === undefined) return;
    if (this.#hands.get(begun.label) !== begun.hand) this.#tell(begun);
    this.#hands.set(begun.label, begun.hand);
    this.#begun = { ...begun, untold: undefined };
  }

  beginPiece(bytes: number): void {
    this.#handBytes += this.#pieceBytes;
    this.#pieceBytes = bytes;
    this.#takenTo = 0;
  }

  /** At the end of all runs. */
  end(): void {
    this.#flush();
  }

  /** Lines are missing here, and no marker says so. */
  #tell({ label, untold }: Origin): void {
    const text = this.of(label);
    this.#texts.set(label, `${text}${untold}${NEWLINE}`);
    this.#afterGap = this.#format === "raw" ? this.#inside : isInside(text);
  }

  of(label: string): string {
    return this.#texts.get(label) ?? "";
  }

  took(piece: Outgoing, from: number, bytes: number): void {
    const begun = this.#begun;
    if (begun !== undefined) this.#take(begun, from);
    assertEquals(from, this.#takenTo, "nothing is left out and nothing comes twice");
    if (bytes === 0) return;
    this.#takenTo += bytes;
    if (this.#format === "raw") this.#tookRaw(piece, from, bytes);
    else this.#tookRecords(piece, from, bytes);
    if (this.#marker !== "" && this.#takenTo === piece.length) {
      const { label } = this.#origin;
      this.#texts.set(label, this.of(label) + this.#marker);
      this.#marker = "";
    }
    this.#note();
  }

  /** The first bytes of what has begun are taken. */
  #take(begun: Origin, from: number): void {
    const isAgain = this.#wasKilled && this.#hands.get(begun.label) === begun.hand;
    this.#begun = undefined;
    this.#origin = begun;
    if (isAgain) {
      assertEquals(begun.hand, this.#hand, "another batch has come since");
      this.#goBackTo(this.#handBytes + from);
      this.#takenTo = from;
      this.#wasKilled = false;
      return;
    }
    this.#wasKilled = false;
    assertEquals([this.#marker, this.#recordAt], ["", undefined], "all is taken");
    this.#afterGap = false;
    if (begun.hand === this.#hand) {
      // After its marker.
      return;
    }
    this.#hand = begun.hand;
    this.#hands.set(begun.label, begun.hand);
    if (begun.untold !== undefined) this.#tell(begun);
    this.#states = [];
    this.#note();
  }

  /** How it is after so many bytes of the batch. */
  #note(): void {
    const at = this.#states.length === 0 ? 0 : this.#handBytes + this.#takenTo;
    this.#states.push([at, {
      texts: new Map(this.#texts),
      writer: this.#writer,
      inside: this.#inside,
      afterGap: this.#afterGap,
      marker: this.#marker,
      recordAt: this.#recordAt,
    }]);
  }

  /** What was taken beyond so many bytes of the batch comes again. */
  #goBackTo(bytes: number): void {
    const index = this.#states.findLastIndex(([at]) => at === bytes);
    assert(index >= 0, "what comes again does not begin where a write has ended");
    const again = this.#states.length - 1 - index;
    if (this.#repeated === "nothing") assertEquals(again, 0, "nothing comes twice");
    if (this.#repeated === "a write") assert(again <= 1, `${again} writes come twice`);
    const [, state] = this.#states[index]!;
    this.#states.length = index + 1;
    this.#texts = new Map(state.texts);
    this.#writer = state.writer;
    this.#inside = state.inside;
    this.#afterGap = state.afterGap;
    this.#marker = state.marker;
    this.#recordAt = state.recordAt;
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
