import { pieceLength, unfinishedCharacter } from "../piece_length.ts";
import { ENDS_INSIDE, STARTS_INSIDE } from "../lane/layout.ts";
import { type Lane, preferredFrameBytes } from "../lane/lane.ts";
import type { RingProducer } from "../lane/ring_producer.ts";
import type { LaneCounters } from "../lane/lane_counters.ts";
import { UnusedPages } from "../lane/unused_pages.ts";
import { Landing, READ_BYTES } from "./landing.ts";

/**
 * A read takes no more than this part of the ring: what comes in one piece must
 * not overrun a flusher that is as fast as it can be.
 */
const READS_PER_RING = 4;
/** An unfinished line is handed on after this time, as it is but for a part of a character. */
const UNFINISHED_MS = 1000;
/** Lines may wait this long for others while the flusher has enough to do. */
const GATHER_MS = 10;

/**
 * Cuts the bytes that land from one input into frames of whole lines and pushes
 * them. Lines over `maxLineBytes`, and lines that take their time, go as
 * pieces: a piece that goes on with a line never holds any other line.
 *
 * Whole lines are pushed at once when the ring is empty; while the flusher is behind they
 * wait for company, for a few milliseconds, so that small writes do not fill the ring
 * with headers. Reader thread only.
 */
export class LineFramer {
  readonly #ring: Lane;
  readonly #producer: RingProducer;
  readonly #counters: LaneCounters;
  readonly #maxLineBytes: number;
  readonly #onLoss: () => void;
  readonly #frameBytes: number;
  readonly #readBytes: number;
  readonly #landing: Landing;
  readonly #pages: UnusedPages | undefined;
  #blocked = false;
  /** Since the last `takeNews`. */
  #news = false;
  /** Something was lost since the ring was last empty. */
  #losing = false;
  /** Since when the consumer cannot know of frames that were dropped, in ms. */
  #droppedMs: number | undefined;

  constructor(
    ring: Lane,
    producer: RingProducer,
    counters: LaneCounters,
    maxLineBytes: number,
    onLoss: () => void,
  ) {
    this.#ring = ring;
    this.#producer = producer;
    this.#counters = counters;
    this.#maxLineBytes = maxLineBytes;
    this.#onLoss = onLoss;
    this.#frameBytes = preferredFrameBytes(ring.capacityBytes);
    this.#readBytes = Math.min(
      READ_BYTES,
      Math.floor(ring.capacityBytes / READS_PER_RING),
    );
    this.#landing = new Landing(ring);
    // Pages of a file would come back with what the file holds.
    this.#pages = ring.kept ? undefined : new UnusedPages(ring.memory, [
      { at: ring.landingAt, bytes: ring.landingBytes },
      { at: ring.ringAt, bytes: ring.ringBytes },
    ]);
  }

  /** Offset in the shared memory where the next bytes land. */
  get landAt(): number {
    return this.#ring.landingAt + this.#landing.filled;
  }

  /** How many bytes may land there. */
  get room(): number {
    return Math.min(this.#readBytes, this.#landing.freeBytes);
  }

  /** See `Landing.expect`. */
  expect(bytes: number): void {
    this.#landing.expect(bytes);
  }

  /** What is here beside whole lines could as well be read by the next run. */
  get endsBetweenPieces(): boolean {
    return !this.#landing.inside;
  }

  /** True while the ring is full and the policy is to wait: do not read on. */
  get blocked(): boolean {
    return this.#blocked;
  }

  /** True if something has landed here or was put into the ring since the last call. */
  takeNews(): boolean {
    const news = this.#news;
    this.#news = false;
    return news;
  }

  /** True while the ring is more than half full. */
  get crowded(): boolean {
    return this.#producer.crowded;
  }

  /**
   * Takes over `bytes` bytes that have landed.
   *
   * @param nowMicros time of day
   * @param nowMs monotonic
   */
  landed(bytes: number, nowMicros: number, nowMs: number): void {
    this.#news = true;
    this.#pages?.use(nowMs);
    const landing = this.#landing;
    // The rest of the line has all its time before it.
    if (this.#beginsCharacter) landing.oldestMs = nowMs;
    landing.add(bytes, nowMicros, nowMs);
    this.#counters.add("in", bytes, 0);
    const tooLong = landing.filled - landing.whole > this.#maxLineBytes;
    const whole = landing.whole - landing.start;
    const waits = whole < this.#frameBytes && !tooLong && this.#producer.backlogged;
    if (!waits) this.pushLines();
    this.#countIn(landing.count(landing.whole));
  }

  /** Lines that end in what has landed. */
  #countIn(lines: number): void {
    this.#counters.addIn(0, lines, this.#landing.whole < this.#landing.filled);
  }

  /** Monotonic time at which `tick` has something to do, in ms; Infinity: never. */
  get deadlineMs(): number {
    if (this.#blocked) return Infinity;
    const { hasWhole, oldestMs } = this.#landing;
    if (hasWhole) return oldestMs + GATHER_MS;
    if (this.#hasCharacters) return oldestMs + UNFINISHED_MS;
    return this.#droppedMs === undefined ? Infinity : this.#droppedMs + UNFINISHED_MS;
  }

  /** More is here than the beginning of one character, which waits for its rest. */
  get #hasCharacters(): boolean {
    return this.#landing.hasAny && !this.#beginsCharacter;
  }

  get #beginsCharacter(): boolean {
    const { bytes, start, filled } = this.#landing;
    return filled > start && unfinishedCharacter(bytes, start, filled) === filled - start;
  }

  /** Monotonic time at which `discardUnused` has something to do, in ms. */
  get discardMs(): number {
    return this.#blocked ? Infinity : this.#pages?.deadlineMs ?? Infinity;
  }

  /** Gives back the memory of a ring that has been empty for long. */
  discardUnused(nowMs: number): void {
    if (nowMs < this.discardMs) return;
    // Only here something is put into the ring, so one that is empty stays so; and an
    // outlet that has seen it before it was empty throws away what it copies.
    this.#pages?.tick(nowMs, !this.#landing.hasAny && !this.#producer.backlogged);
  }

  /** Pushes what has waited long enough. */
  tick(nowMs: number): void {
    if (nowMs < this.deadlineMs) return;
    if (this.#landing.hasWhole) this.pushLines();
    else if (this.#hasCharacters) this.#pushCharacters();
    else this.#exposeDrops(nowMs);
  }

  /**
   * Pushes what waits for company, without waiting any longer; but not while the
   * ring is crowded, where the headers of small frames would cost lines.
   */
  pushWhole(): void {
    if (this.#landing.hasWhole && !this.#blocked && !this.crowded) this.pushLines();
  }

  /** Pushes everything, the unfinished line as it is. */
  pushUnfinished(): void {
    this.pushLines();
    this.#pushUpTo(this.#landing.filled);
  }

  /**
   * Pushes the unfinished line, but not a part of a character: many a writer pauses where
   * its buffer is full, and each of two halves would be no text.
   */
  #pushCharacters(): void {
    const { bytes, start, filled } = this.#landing;
    this.#pushUpTo(filled - unfinishedCharacter(bytes, start, filled));
  }

  #pushUpTo(to: number): void {
    const { start } = this.#landing;
    if (this.#blocked || to === start) return;
    if (this.#push(start, to, 0, true)) this.#landing.consumeTo(to);
  }

  /**
   * After the flusher has freed room: goes on where the ring was full. Nothing was read
   * in the meantime, so an unfinished line has all its time still before it: its newline
   * may have been in the pipe for long.
   *
   * @param nowMs monotonic
   */
  unblock(nowMs: number): void {
    this.#blocked = false;
    this.pushLines();
    this.#landing.oldestMs = nowMs;
  }

  /** Ends the stream; call only when not blocked, after `pushUnfinished`. */
  close(nowMicros: number): void {
    this.#news = true;
    if (this.#landing.inside) this.#producer.close(1, STARTS_INSIDE, nowMicros);
    else this.#producer.close(0, 0, nowMicros);
  }

  /**
   * Pushes all whole lines, and all but the last piece of a line that is too long; leaves
   * an unfinished one where it is.
   */
  pushLines(): void {
    const landing = this.#landing;
    let from = landing.start;
    while (from < landing.whole && !this.#blocked) {
      const to = this.#cut(from);
      // Only a piece of a line that is too long ends without its newline.
      const unfinished = landing.endsInside(to);
      // They have come in before anybody can count what becomes of them.
      const counted = landing.count(to);
      if (counted > 0) this.#countIn(counted);
      const lines = unfinished ? 0 : landing.linesUpTo(to, from);
      if (!this.#push(from, to, lines, unfinished)) break;
      landing.forgetLines(lines);
      from = to;
    }
    while (landing.filled - from > this.#maxLineBytes && from >= landing.whole) {
      const to = from + this.#pieceLength(from);
      if (this.#blocked || !this.#push(from, to, 0, true)) break;
      from = to;
    }
    landing.consumeTo(from);
  }

  /** Where the frame that begins at `from`, before the last newline, should end. */
  #cut(from: number): number {
    const landing = this.#landing;
    if (!landing.inside) {
      if (landing.whole - from <= this.#frameBytes) return landing.whole;
      const newline = landing.lastNewline(from, from + this.#frameBytes);
      if (newline >= 0) return newline + 1;
    }
    const lineEnd = landing.lineEnd(from);
    return lineEnd - from <= this.#maxLineBytes + 1
      ? lineEnd
      : from + this.#pieceLength(from);
  }

  #pieceLength(from: number): number {
    return pieceLength(this.#landing.bytes, from, this.#maxLineBytes);
  }

  /** False when the ring is full and the bytes stay here. */
  #push(from: number, to: number, lines: number, unfinished: boolean): boolean {
    const { inside, oldestMicros } = this.#landing;
    const flags = (inside ? STARTS_INSIDE : 0) | (unfinished ? ENDS_INSIDE : 0);
    const at = this.#ring.landingAt + from;
    const { shortfallBytes } = this.#producer;
    if (this.#losing && !this.#producer.backlogged) {
      this.#losing = false;
      this.#counters.beginBurst(shortfallBytes);
    }
    let pushed = this.#producer.push(at, to - from, lines, flags, oldestMicros);
    if (pushed.outcome === "full") {
      // Asked for before the second look, so that room that is made after it is
      // not overlooked.
      this.#producer.requestRoom();
      pushed = this.#producer.push(at, to - from, lines, flags, oldestMicros);
    }
    if (pushed.outcome === "full") {
      this.#blocked = true;
      return false;
    }
    this.#news = true;
    if (pushed.outcome === "dropped") {
      this.#counters.add("dropped", to - from, lines);
      this.#droppedMs = this.#landing.newestMs;
    } else {
      this.#droppedMs = undefined;
      if (pushed.overwrittenBytes > 0) {
        this.#counters.add(
          "overwritten",
          pushed.overwrittenBytes,
          pushed.overwrittenLines,
        );
      }
    }
    if (this.#producer.shortfallBytes > shortfallBytes) {
      this.#losing = true;
      this.#counters.setShortfall(this.#producer.shortfallBytes);
      this.#onLoss();
    }
    this.#landing.inside = unfinished;
    return true;
  }

  /** An empty frame, whose numbers show the flusher what was dropped before it. */
  #exposeDrops(nowMs: number): void {
    const { start, inside } = this.#landing;
    this.#push(start, start, 0, inside);
    if (this.#droppedMs !== undefined) this.#droppedMs = nowMs;
  }
}
