import { type Kernels, kernels } from "../kernels/kernels.ts";
import { check, checkTimes, checkWhole } from "./damaged_lane.ts";
import { ExpectedLanding } from "./expected_landing.ts";
import { FrameSpace } from "./frame_space.ts";
import { HandJournal, type HandProgress, NO_PROGRESS } from "./hand_journal.ts";
import type { Lane } from "./lane.ts";
import { LaneCounters } from "./lane_counters.ts";
import {
  END,
  ENDS_INSIDE,
  FRAME_BYTES,
  FRAME_FIRST_BYTE,
  FRAME_FIRST_LINE,
  FRAME_FLAGS,
  FRAME_LINES,
  FRAME_TIME,
  frameLength,
  HAND_FRAME_ENDS,
  HAND_FRAME_TIMES,
  HEAD,
  LANDING_END,
  LANDING_FROM,
  LANDING_GOAL,
  LANDING_INSIDE,
  LANDING_TIME,
  MAX_BATCH_FRAMES,
  NEXT_BYTE,
  NEXT_LINE,
  OUTLET_COUNTERS,
  READER_COUNTERS,
  ROOM,
  TAIL,
  UNIT,
} from "./layout.ts";
import { Place } from "./place.ts";
import type { HeldBatch } from "./hand_journal.ts";

/** Lines and bytes. */
export interface LeftAmount {
  readonly lines: number;
  readonly bytes: number;
}

/** What the frames in the ring come to. */
interface Walked extends LeftAmount {
  /** Numbers of the line and byte after the last of them. */
  readonly nextLine: number;
  readonly nextByte: number;
  readonly inside: boolean;
  /** Where the frame is that ends the stream. */
  readonly endAt: number | undefined;
}

const COUNTER_BYTES = 512;
const NEWLINE = 10;

/**
 * The lane of a process that has ended in whatever way: what it had read and not
 * delivered is in the hand, in the ring and in the landing area, in this order. Looks at
 * it, and changes nothing before `prepare`, after which the two ends of a lane can be
 * made for it as for any other. What is looked at is the same however often that is
 * interrupted. While no other thread has the lane.
 */
export class LeftLane {
  readonly #lane: Lane;
  readonly #view: DataView;
  readonly #words: Kernels;
  readonly #space: FrameSpace;
  readonly #journal: HandJournal;
  readonly #place = new Place();
  readonly #batch: HeldBatch | undefined;
  readonly #goesOn: boolean;
  readonly #progress: HandProgress;
  readonly #tail: number;
  #head: number;
  readonly #ring: Walked;
  readonly #nextLine: number;
  readonly #nextByte: number;
  /** What has landed and is not in the ring begins inside a line. */
  readonly #inside: boolean;
  /** Numbers of bytes: where the landing area begins, the last line in it, and its end. */
  readonly #landingFrom: number;
  readonly #lineAt: number;
  #landingEnd: number;
  #ended: boolean;

  /**
   * @param goesOn the output is the one that it had, so that a part of what is in the
   * hand was delivered to it
   * @param cutAt what has landed from this number on was taken over by another lane
   * @throws DamagedLaneError
   */
  constructor(lane: Lane, goesOn: boolean, cutAt = Infinity) {
    this.#lane = lane;
    this.#view = new DataView(lane.memory.buffer, lane.at);
    this.#words = kernels(lane.memory);
    this.#space = new FrameSpace(lane);
    this.#journal = new HandJournal(lane);
    this.#goesOn = goesOn;
    this.#progress = goesOn ? this.#journal.progress : NO_PROGRESS;
    this.#batch = this.#readHand();
    const tail = this.#load(TAIL);
    checkWhole(tail, this.#place.gapLines, this.#place.gapBytes);
    checkTimes(this.#place.lastTime, this.unfinishedTime);
    this.#tail = this.#journal.isHeld ? Math.max(tail, this.#journal.tailAfter) : tail;
    this.#head = this.#load(HEAD);
    this.#ring = this.#walk();
    this.#nextLine = Math.max(this.#load(NEXT_LINE), this.#ring.nextLine);
    this.#nextByte = Math.max(this.#load(NEXT_BYTE), this.#ring.nextByte);
    this.#landingFrom = this.#load(LANDING_FROM);
    // Frames that were dropped have used up numbers.
    this.#inside = this.#nextByte > this.#ring.nextByte
      ? this.#isDroppedInside()
      : this.#ring.inside;
    this.#landingEnd = Math.min(cutAt, this.#findLandingEnd());
    this.#lineAt = this.#findLastLine();
    this.#ended = this.#ring.endAt !== undefined || this.#batch?.end === true;
  }

  /** Everything that was read and is not counted as delivered, if nobody takes over the
   * unfinished line. */
  get amount(): LeftAmount {
    const landed = this.#landed;
    const hand = this.#handLeft;
    const isOpen = landed.bytes > 0 ? this.#landingEnd > this.#lineAt : this.#inside;
    const opens = !this.#ended && isOpen;
    return {
      bytes: hand.bytes + this.#ring.bytes + landed.bytes,
      lines: hand.lines + this.#ring.lines + landed.lines + (opens ? 1 : 0),
    };
  }

  /** Of these bytes a part may have been delivered without being counted. */
  get handBytes(): number {
    return this.#handLeft.bytes;
  }

  get isEmpty(): boolean {
    const { bytes, lines } = this.amount;
    return bytes === 0 && lines === 0 && !this.#isGapUntold;
  }

  /** What is not there, as the numbers of the rest say, and was not said to be missing. */
  get missing(): LeftAmount {
    const place = this.#place;
    const hand = this.#progress.delivered === 0 ? this.#batch : undefined;
    const [bytes, lines] = [
      this.#nextByte - place.byte.value - this.#ring.bytes,
      this.#nextLine - place.line.value - this.#ring.lines,
    ];
    return {
      bytes: (hand?.gapBytes ?? 0) + place.gapBytes + bytes,
      lines: (hand?.gapLines ?? 0) + place.gapLines + lines,
    };
  }

  /** Its stream has ended, and nothing is to be put into its ring. */
  get ended(): boolean {
    return this.#ended;
  }

  /** An unfinished line that another lane may take over, and go on with. */
  get unfinishedBytes(): number {
    return this.#inside ? 0 : this.#landingEnd - this.#lineAt;
  }

  /** When it had come in, in microseconds since 1970. */
  get unfinishedTime(): number {
    return this.#view.getFloat64(LANDING_TIME, true);
  }

  /** Number of its first byte; see `cutAt`. */
  get unfinishedAt(): number {
    return this.#lineAt;
  }

  /** A copy of the unfinished line, which is no longer this lane's. */
  takeUnfinished(): Uint8Array<ArrayBuffer> {
    const at = this.#lane.landingAt + this.#lineAt - this.#landingFrom;
    const bytes = new Uint8Array(this.unfinishedBytes);
    bytes.set(new Uint8Array(this.#lane.memory.buffer, at, bytes.length));
    this.#landingEnd = this.#lineAt;
    return bytes;
  }

  /**
   * Makes the words true, for the two ends that will have it.
   *
   * @param startTime when the run began whose lines they are, in microseconds since 1970:
   * where nothing was taken of them, what is missing at first has come since then
   */
  prepare(startTime: number): void {
    // A stream that has ended must go on if something has landed since.
    if (this.#ended && this.#landingEnd > this.#nextByte) this.#reopen();
    const { lines, bytes } = this.amount;
    this.#store(HEAD, this.#head);
    this.#store(TAIL, this.#tail);
    this.#store(ROOM, 0);
    this.#store(NEXT_LINE, this.#nextLine);
    this.#store(NEXT_BYTE, this.#nextByte);
    // In this order: see `ExpectedLanding.uncounted`.
    this.#store(LANDING_GOAL, this.#landingEnd);
    this.#store(LANDING_END, this.#landingEnd);
    this.#view.setFloat64(LANDING_INSIDE, this.#inside ? 1 : 0, true);
    this.#place.discardedBytes = this.#place.discardedLines = 0;
    this.#place.lastTime ||= startTime;
    this.#place.writeTo(this.#view, 0);
    if (!this.#goesOn) this.#journal.forgetOutput();
    for (const counters of [READER_COUNTERS, OUTLET_COUNTERS]) {
      new Uint8Array(this.#view.buffer, this.#lane.at + counters, COUNTER_BYTES).fill(0);
    }
    const counters = new LaneCounters(this.#lane);
    counters.add("recovered", bytes, lines);
    if (this.#lane.damaged) counters.setDamaged(this.missing.bytes, this.missing.lines);
  }

  #reopen(): void {
    this.#ended = false;
    this.#head = this.#ring.endAt ?? this.#head;
    this.#journal.clearEnd();
  }

  #readHand(): HeldBatch | undefined {
    const journal = this.#journal;
    if (!journal.isHeld) {
      this.#place.readFrom(this.#view, 0);
      return undefined;
    }
    journal.readPlaceInto(this.#place);
    const batch = {} as HeldBatch;
    journal.readInto(batch);
    const { bytes, lines, firstLine, frames, gapLines, gapBytes } = batch;
    checkWhole(bytes, lines, firstLine, frames, gapLines, gapBytes);
    const { delivered, countedBytes, countedLines, fileBytes } = this.#progress;
    checkWhole(delivered, countedBytes, countedLines, fileBytes);
    checkWhole(bytes - countedBytes, lines - countedLines, journal.tailAfter);
    checkTimes(batch.gapFrom, batch.gapTo);
    check(batch.bytes <= this.#lane.handBytes, "its hand holds too much");
    check(batch.frames <= MAX_BATCH_FRAMES, "its hand holds too many frames");
    const ends = new Uint32Array(
      this.#lane.memory.buffer,
      this.#lane.at + HAND_FRAME_ENDS,
      MAX_BATCH_FRAMES,
    );
    const times = new Float64Array(
      this.#lane.memory.buffer,
      this.#lane.at + HAND_FRAME_TIMES,
      batch.frames,
    );
    checkTimes(...times);
    const end = batch.frames === 0 ? 0 : ends[batch.frames - 1]!;
    check(
      end === batch.bytes,
      "the frames in its hand do not come to what it holds",
    );
    return batch;
  }

  get #handLeft(): LeftAmount {
    const { bytes = 0, lines = 0 } = this.#batch ?? {};
    const { countedBytes, countedLines } = this.#batch ? this.#progress : NO_PROGRESS;
    return { bytes: bytes - countedBytes, lines: lines - countedLines };
  }

  get #isGapUntold(): boolean {
    const { bytes, lines } = this.missing;
    return bytes > 0 || this.#lane.damaged === true && lines > 0;
  }

  /** What has landed: whole lines, and bytes of those and of an unfinished one. */
  get #landed(): LeftAmount {
    const at = this.#lane.landingAt + this.#nextByte - this.#landingFrom;
    const bytes = Math.max(0, this.#landingEnd - this.#nextByte);
    return { bytes, lines: bytes === 0 ? 0 : this.#words.countNewlines(at, bytes) };
  }

  /** Everything from the tail to the head, which fits together or does not. */
  #walk(): Walked {
    const { ringBytes, handBytes } = this.#lane;
    const [tail, head] = [this.#tail, this.#head];
    check(
      Number.isSafeInteger(head) && tail <= head && (head - tail) * UNIT <= ringBytes,
      "its head and tail do not fit together",
    );
    let nextLine = this.#place.line.value;
    let nextByte = this.#place.byte.value;
    let inside = this.#place.inside;
    let endAt: number | undefined;
    const left = { lines: 0, bytes: 0 };
    for (let at = tail; at < head;) {
      check(endAt === undefined, "a frame comes after its end");
      const frame = this.#space.offsetOf(at);
      const bytes = this.#frameWord(frame, FRAME_BYTES);
      const lines = this.#frameWord(frame, FRAME_LINES);
      const flags = this.#frameWord(frame, FRAME_FLAGS);
      const firstLine = this.#frameNumber(frame, FRAME_FIRST_LINE);
      const firstByte = this.#frameNumber(frame, FRAME_FIRST_BYTE);
      checkTimes(
        this.#space.view.getFloat64(this.#space.advance(frame, FRAME_TIME), true),
      );
      const length = frameLength(bytes) / UNIT;
      check(bytes <= handBytes && at + length <= head, "a frame is too long");
      check(
        firstByte >= nextByte && firstLine >= nextLine,
        "the numbers of its frames go backwards",
      );
      nextLine = firstLine + lines;
      nextByte = firstByte + bytes;
      inside = (flags & ENDS_INSIDE) !== 0;
      if ((flags & END) !== 0) endAt = at;
      left.lines += lines;
      left.bytes += bytes;
      at += length;
    }
    return { ...left, nextLine, nextByte, inside, endAt };
  }

  #frameWord(frame: number, word: number): number {
    return this.#space.view.getUint32(this.#space.advance(frame, word), true);
  }

  #frameNumber(frame: number, word: number): number {
    return Number(
      this.#space.view.getBigUint64(this.#space.advance(frame, word), true),
    );
  }

  /** Also of what a read has brought that was not counted any more. */
  #findLandingEnd(): number {
    const counted = this.#load(LANDING_END);
    const at = counted - this.#landingFrom;
    check(
      Number.isSafeInteger(counted) && at >= 0 && at <= this.#lane.landingBytes &&
        this.#nextByte >= this.#landingFrom,
      "what has landed does not fit its landing area",
    );
    const end = counted + new ExpectedLanding(this.#lane).uncounted(at);
    check(this.#nextByte <= end, "its ring has more than has landed");
    return end;
  }

  /**
   * What was dropped last ends inside a line. Its word is written after its number was
   * used up, and before it leaves the landing area.
   */
  #isDroppedInside(): boolean {
    const { landingAt, landingBytes } = this.#lane;
    const last = this.#nextByte - 1 - this.#landingFrom;
    return last >= 0 && last < landingBytes
      ? this.#view.getUint8(landingAt - this.#lane.at + last) !== NEWLINE
      : this.#view.getFloat64(LANDING_INSIDE, true) === 1;
  }

  /** Where the last line begins that has landed. */
  #findLastLine(): number {
    if (this.#landingEnd <= this.#nextByte) return this.#landingEnd;
    const from = this.#nextByte - this.#landingFrom;
    const to = this.#landingEnd - this.#landingFrom;
    const landed = new Uint8Array(this.#lane.memory.buffer, this.#lane.landingAt, to);
    return this.#landingFrom + Math.max(from, landed.lastIndexOf(NEWLINE) + 1);
  }

  #load(word: number): number {
    return this.#words.load(this.#lane.at + word);
  }

  #store(word: number, value: number): void {
    this.#words.store(this.#lane.at + word, value);
  }
}

/**
 * Puts an unfinished line where a new lane's first one begins. Before it has any end.
 *
 * @param time when it had come in, in microseconds since 1970
 */
export function beginWithLine(lane: Lane, line: Uint8Array, time: number): void {
  new Uint8Array(lane.memory.buffer).set(line, lane.landingAt);
  const words = kernels(lane.memory);
  new DataView(lane.memory.buffer).setFloat64(lane.at + LANDING_TIME, time, true);
  words.store(lane.at + LANDING_GOAL, line.length);
  words.store(lane.at + LANDING_END, line.length);
  const counters = new LaneCounters(lane);
  counters.add("recovered", line.length, 0);
  counters.openLine();
}
