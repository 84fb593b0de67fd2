import { type Kernels, kernels } from "../kernels/kernels.ts";
import type { Lane } from "./lane.ts";
import { HAND, PLACE_LINE, WORD } from "./layout.ts";
import type { Place } from "./place.ts";
import type { Batch } from "./batch.ts";

const HELD = HAND;
const BYTES = HAND + 1 * WORD;
const LINES = HAND + 2 * WORD;
const FIRST_LINE = HAND + 3 * WORD;
const FRAMES = HAND + 4 * WORD;
const STARTS_INSIDE = HAND + 5 * WORD;
const ENDS_STREAM = HAND + 6 * WORD;
const GAP_LINES = HAND + 7 * WORD;
const GAP_BYTES = HAND + 8 * WORD;
const GAP_FROM = HAND + 9 * WORD;
const GAP_TO = HAND + 10 * WORD;
const TAIL_AFTER = HAND + 11 * WORD;
const FORMAT_STATE = HAND + 12 * WORD;
const REST_STATE = HAND + 13 * WORD;
/** The consumer's place after the batch, laid out as the words of `Place` are. */
const PLACE_AFTER = HAND + 16 * WORD;
const PLACE_WORDS = 8;
/** Which of the two records of progress holds. */
const SELECTED = HAND + 32 * WORD;
const PROGRESS = HAND + 33 * WORD;
const PROGRESS_WORDS = 7;

if (16 + PLACE_WORDS > 32) throw new Error("the place would run into the progress");

/** A file that is written to, by the numbers that statx(2) has for it. */
export interface FileIdentity {
  readonly major: number;
  readonly minor: number;
  readonly inode: number;
}

const NO_FILE: FileIdentity = { major: 0, minor: 0, inode: 0 };

/** How far what is in the hand has come. */
export interface HandProgress {
  /** Bytes of the output that it makes, its marker included, which the sink has taken. */
  readonly delivered: number;
  /** What of the input is counted as out or rejected. */
  readonly countedBytes: number;
  readonly countedLines: number;
  /** Where the output is a file: which, and how long it is with what was delivered. */
  readonly file: FileIdentity;
  readonly fileBytes: number;
}

export const NO_PROGRESS: HandProgress = {
  delivered: 0,
  countedBytes: 0,
  countedLines: 0,
  file: NO_FILE,
  fileBytes: 0,
};

/** What a batch says that is not in the hand itself. */
export type HeldBatch = Omit<Batch, "frameEnds" | "frameTimes" | "firstByte">;

/**
 * What is in the hand of a lane that is kept, in its words: a batch is in the journal
 * before its frames leave the ring, so that at every moment it is in one of the two, or
 * in both, which `tailAfter` tells. Each record is whole or does not hold: it is written
 * beside the one that does, and then chosen by one store. The outlet's thread only.
 */
export class HandJournal {
  readonly #words: Kernels;
  readonly #view: DataView;
  readonly #at: number;
  /** What the format remembers of the stream now, between two batches; see `Format.state`. */
  formatState: number;

  constructor({ memory, at }: Pick<Lane, "memory" | "at">) {
    this.#words = kernels(memory);
    this.#view = new DataView(memory.buffer);
    this.#at = at;
    this.formatState = this.#get(this.isHeld ? FORMAT_STATE : REST_STATE);
  }

  get isHeld(): boolean {
    return this.#words.load(this.#at + HELD) === 1;
  }

  /**
   * The batch in the hand is whole, and about to leave the ring.
   *
   * @param tailAfter where the ring begins without it
   */
  hold(batch: HeldBatch, after: Place, tailAfter: number): void {
    this.#set(BYTES, batch.bytes);
    this.#set(LINES, batch.lines);
    this.#set(FIRST_LINE, batch.firstLine);
    this.#set(FRAMES, batch.frames);
    this.#set(STARTS_INSIDE, batch.startsInside ? 1 : 0);
    this.#set(ENDS_STREAM, batch.end ? 1 : 0);
    this.#set(GAP_LINES, batch.gapLines);
    this.#set(GAP_BYTES, batch.gapBytes);
    this.#set(GAP_FROM, batch.gapFrom);
    this.#set(GAP_TO, batch.gapTo);
    this.#set(TAIL_AFTER, tailAfter);
    after.writeTo(this.#view, this.#at + PLACE_AFTER - PLACE_LINE);
    this.#set(FORMAT_STATE, this.formatState);
    // Where the file ends that is written to does not change by that.
    const { file, fileBytes } = this.progress;
    this.progress = { ...NO_PROGRESS, file, fileBytes };
    this.#words.store(this.#at + HELD, 1);
  }

  /** Nothing in the hand is needed any more. */
  release(): void {
    this.#set(REST_STATE, this.formatState);
    this.#words.store(this.#at + HELD, 0);
  }

  /** What was given to `hold`. */
  readInto(batch: HeldBatch): void {
    batch.bytes = this.#get(BYTES);
    batch.lines = this.#get(LINES);
    batch.firstLine = this.#get(FIRST_LINE);
    batch.frames = this.#get(FRAMES);
    batch.startsInside = this.#get(STARTS_INSIDE) === 1;
    batch.end = this.#get(ENDS_STREAM) === 1;
    batch.gapLines = this.#get(GAP_LINES);
    batch.gapBytes = this.#get(GAP_BYTES);
    batch.gapFrom = this.#get(GAP_FROM);
    batch.gapTo = this.#get(GAP_TO);
  }

  /** The batch that is held is the last. */
  get endsStream(): boolean {
    return this.isHeld && this.#get(ENDS_STREAM) === 1;
  }

  /** Something is to come after it. */
  clearEnd(): void {
    this.#set(ENDS_STREAM, 0);
  }

  get tailAfter(): number {
    return this.#get(TAIL_AFTER);
  }

  readPlaceInto(place: Place): void {
    place.readFrom(this.#view, this.#at + PLACE_AFTER - PLACE_LINE);
  }

  /** The output is another one, which has taken nothing yet. While nobody has the lane. */
  forgetOutput(): void {
    this.formatState = 0;
    this.#set(FORMAT_STATE, 0);
    this.#set(REST_STATE, 0);
    this.progress = NO_PROGRESS;
  }

  get progress(): HandProgress {
    const at = this.#progressAt(this.#selected);
    const word = (index: number) => this.#view.getFloat64(at + index * WORD, true);
    return {
      delivered: word(0),
      countedBytes: word(1),
      countedLines: word(2),
      file: { major: word(3), minor: word(4), inode: word(5) },
      fileBytes: word(6),
    };
  }

  set progress(progress: HandProgress) {
    const other = 1 - this.#selected;
    const at = this.#progressAt(other);
    this.#view.setFloat64(at, progress.delivered, true);
    this.#view.setFloat64(at + 1 * WORD, progress.countedBytes, true);
    this.#view.setFloat64(at + 2 * WORD, progress.countedLines, true);
    this.#view.setFloat64(at + 3 * WORD, progress.file.major, true);
    this.#view.setFloat64(at + 4 * WORD, progress.file.minor, true);
    this.#view.setFloat64(at + 5 * WORD, progress.file.inode, true);
    this.#view.setFloat64(at + 6 * WORD, progress.fileBytes, true);
    this.#words.store(this.#at + SELECTED, other);
  }

  get #selected(): number {
    return this.#words.load(this.#at + SELECTED) === 1 ? 1 : 0;
  }

  #progressAt(selected: number): number {
    return this.#at + PROGRESS + selected * PROGRESS_WORDS * WORD;
  }

  #get(word: number): number {
    return this.#view.getFloat64(this.#at + word, true);
  }

  #set(word: number, value: number): void {
    this.#view.setFloat64(this.#at + word, value, true);
  }
}
