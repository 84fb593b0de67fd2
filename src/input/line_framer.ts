import { pieceLength } from "../piece_length.ts";
import { type Kernels, kernels } from "../kernels/kernels.ts";
import {
  ENDS_INSIDE,
  LANDING_END,
  LANDING_FROM,
  LANDING_INSIDE,
  LANDING_TIME,
  NEXT_BYTE,
  STARTS_INSIDE,
} from "../lane/layout.ts";
import { ExpectedLanding } from "../lane/expected_landing.ts";
import { type Lane, preferredFrameBytes } from "../lane/lane.ts";
import type { RingProducer } from "../lane/ring_producer.ts";
import type { LaneCounters } from "../lane/lane_counters.ts";
import { UnusedPages } from "../lane/unused_pages.ts";

/** One read(2) takes at most this much; about what stays in a second-level cache. */
export const READ_BYTES = 256 * 1024;
/**
 * Nor does it take more than this part of the ring: what comes in one piece must
 * not overrun a flusher that is as fast as it can be.
 */
const READS_PER_RING = 4;
/** An unfinished line is handed on after this time, as it is. */
const UNFINISHED_MS = 1000;
/** Lines may wait this long for others while the flusher has enough to do. */
const GATHER_MS = 10;

const NEWLINE = 10;

/** What the landing area must hold: an unfinished longest line, where it is and where it
 * is moved to, and one read. */
export function landingBytesFor(maxLineBytes: number): number {
  return 2 * (maxLineBytes + 1) + READ_BYTES;
}

/**
 * Cuts the bytes that land from one input into frames of whole lines and pushes
 * them. Lines over `maxLineBytes`, and lines that take their time, go as
 * pieces: a piece that goes on with a line never holds any other line.
 *
 * The landing area holds `[pushed | whole lines | unfinished line | free]`. Whole lines
 * are pushed at once when the ring is empty; while the flusher is behind they
 * wait for company, for a few milliseconds, so that small writes do not fill
 * the ring with headers. What is left moves to the beginning when it no longer overlaps
 * with where it was, so that a crash in the middle of that tears nothing. Reader thread
 * only.
 */
export class LineFramer {
  readonly #ring: Lane;
  readonly #producer: RingProducer;
  readonly #counters: LaneCounters;
  readonly #maxLineBytes: number;
  readonly #onLoss: () => void;
  readonly #frameBytes: number;
  readonly #readBytes: number;
  readonly #kernels: Kernels;
  readonly #landing: Uint8Array;
  readonly #words: DataView;
  readonly #pages: UnusedPages | undefined;
  readonly #expected: ExpectedLanding | undefined;
  /** Within the landing area: the bytes that are here, and where the whole lines end. */
  #start: number;
  #filled: number;
  #whole: number;
  /** Number in the stream of the byte at the beginning of the landing area. */
  #fromByte: number;
  /** How many whole lines these are, so that nothing counts them again. */
  #wholeLines: number;
  /** What is here begins inside a line whose first pieces were pushed. */
  #inside: boolean;
  #blocked = false;
  /** Since the last `takeNews`. */
  #news = false;
  /**
   * Arrival of the oldest byte here: time of day in µs, and monotonic in ms; the latter is
   * what it waits from, so it is later where nothing was read for a time.
   */
  #oldestMicros = 0;
  #oldestMs = 0;
  /** The same for the newest. */
  #newestMicros = 0;
  #newestMs = 0;
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
    this.#kernels = kernels(ring.memory);
    this.#landing = new Uint8Array(
      ring.memory.buffer,
      ring.landingAt,
      ring.landingBytes,
    );
    // Pages of a file would come back with what the file holds.
    this.#pages = ring.kept ? undefined : new UnusedPages(ring.memory, [
      { at: ring.landingAt, bytes: ring.landingBytes },
      { at: ring.ringAt, bytes: ring.ringBytes },
    ]);
    this.#expected = ring.kept ? new ExpectedLanding(ring) : undefined;
    // What an earlier run has left there, if it has left anything.
    this.#words = new DataView(ring.memory.buffer, ring.at);
    const word = (at: number) => this.#words.getFloat64(at, true);
    const { load } = this.#kernels;
    this.#fromByte = load(ring.at + LANDING_FROM);
    this.#start = load(ring.at + NEXT_BYTE) - this.#fromByte;
    this.#filled = load(ring.at + LANDING_END) - this.#fromByte;
    this.#whole = this.#lastNewline(this.#start, this.#filled) + 1 || this.#start;
    this.#wholeLines = this.#countLines(this.#start, this.#whole);
    this.#inside = word(LANDING_INSIDE) === 1;
    this.#oldestMicros = this.#newestMicros = word(LANDING_TIME);
    this.#oldestMs = this.#newestMs = performance.now();
  }

  /** Offset in the shared memory where the next bytes land. */
  get landAt(): number {
    return this.#ring.landingAt + this.#filled;
  }

  /** How many bytes may land there. */
  get room(): number {
    return Math.min(this.#readBytes, this.#ring.landingBytes - this.#filled);
  }

  /**
   * A read is about to put `bytes` bytes there, all of them or none: if this process is
   * killed before it says so itself, it can be seen whether they have come.
   */
  expect(bytes: number): void {
    this.#expected?.expect(this.#filled, bytes);
  }

  /** What is here beside whole lines could as well be read by the next run. */
  get endsBetweenPieces(): boolean {
    return !this.#inside;
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
    this.#newestMicros = nowMicros;
    this.#newestMs = nowMs;
    if (this.#filled === this.#start) {
      this.#oldestMicros = nowMicros;
      this.#oldestMs = nowMs;
    }
    const before = this.#filled;
    this.#filled += bytes;
    this.#words.setFloat64(LANDING_TIME, this.#oldestMicros, true);
    this.#kernels.store(this.#ring.at + LANDING_END, this.#fromByte + this.#filled);
    const newline = this.#lastNewline(before, this.#filled);
    if (newline >= 0) this.#whole = newline + 1;
    const lines = newline < 0 ? 0 : this.#countLines(before, this.#whole);
    this.#wholeLines += lines;
    this.#counters.addIn(bytes, lines, this.#whole < this.#filled);
    const tooLong = this.#filled - this.#whole > this.#maxLineBytes;
    const whole = this.#whole - this.#start;
    if (whole < this.#frameBytes && !tooLong && this.#producer.backlogged) return;
    this.#pushAll();
  }

  /** Monotonic time at which `tick` has something to do, in ms; Infinity: never. */
  get deadlineMs(): number {
    if (this.#blocked) return Infinity;
    if (this.#hasWhole) return this.#oldestMs + GATHER_MS;
    if (this.#hasAny) return this.#oldestMs + UNFINISHED_MS;
    return this.#droppedMs === undefined ? Infinity : this.#droppedMs + UNFINISHED_MS;
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
    this.#pages?.tick(nowMs, !this.#hasAny && !this.#producer.backlogged);
  }

  /** Pushes what has waited long enough. */
  tick(nowMs: number): void {
    if (nowMs < this.deadlineMs) return;
    if (this.#hasWhole) this.#pushAll();
    else if (this.#hasAny) this.pushUnfinished();
    else this.#exposeDrops(nowMs);
  }

  get #hasWhole(): boolean {
    return this.#whole > this.#start;
  }

  get #hasAny(): boolean {
    return this.#filled > this.#start;
  }

  /**
   * Pushes what waits for company, without waiting any longer; but not while the
   * ring is crowded, where the headers of small frames would cost lines.
   */
  pushWhole(): void {
    if (this.#hasWhole && !this.#blocked && !this.crowded) this.#pushAll();
  }

  /** Pushes all lines, and leaves an unfinished one where it is. */
  pushLines(): void {
    this.#pushAll();
  }

  /** Pushes everything, the unfinished line as it is. */
  pushUnfinished(): void {
    this.#pushAll();
    if (this.#blocked || !this.#hasAny) return;
    if (this.#push(this.#start, this.#filled, 0, true)) this.#consumeTo(this.#filled);
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
    this.#pushAll();
    this.#oldestMs = nowMs;
  }

  /** Ends the stream; call only when not blocked, after `pushUnfinished`. */
  close(nowMicros: number): void {
    this.#news = true;
    if (this.#inside) this.#producer.close(1, STARTS_INSIDE, nowMicros);
    else this.#producer.close(0, 0, nowMicros);
  }

  /** Offset of the last newline in a part of the landing area, or -1. */
  #lastNewline(from: number, to: number): number {
    for (let at = to - 1; at >= from; at--) {
      if (this.#landing[at] === NEWLINE) return at;
    }
    return -1;
  }

  /** Of the whole lines from `from` on, those before `to`. */
  #linesUpTo(to: number, from: number): number {
    return to === this.#whole ? this.#wholeLines : this.#countLines(from, to);
  }

  #countLines(from: number, to: number): number {
    return this.#kernels.countNewlines(this.#ring.landingAt + from, to - from);
  }

  /** Pushes all whole lines, and all but the last piece of a line that is too long. */
  #pushAll(): void {
    let from = this.#start;
    while (from < this.#whole && !this.#blocked) {
      const to = this.#cut(from);
      // Only a piece of a line that is too long ends without its newline.
      const unfinished = this.#landing[to - 1] !== NEWLINE;
      const lines = unfinished ? 0 : this.#linesUpTo(to, from);
      if (!this.#push(from, to, lines, unfinished)) break;
      this.#wholeLines -= lines;
      from = to;
    }
    while (this.#filled - from > this.#maxLineBytes && from >= this.#whole) {
      const to = from + this.#pieceLength(from);
      if (this.#blocked || !this.#push(from, to, 0, true)) break;
      from = to;
    }
    this.#consumeTo(from);
  }

  /** Where the frame that begins at `from`, before the last newline, should end. */
  #cut(from: number): number {
    if (!this.#inside) {
      if (this.#whole - from <= this.#frameBytes) return this.#whole;
      const newline = this.#lastNewline(from, from + this.#frameBytes);
      if (newline >= 0) return newline + 1;
    }
    const lineEnd = this.#landing.indexOf(NEWLINE, from) + 1;
    return lineEnd - from <= this.#maxLineBytes + 1
      ? lineEnd
      : from + this.#pieceLength(from);
  }

  #pieceLength(from: number): number {
    return pieceLength(this.#landing, from, this.#maxLineBytes);
  }

  /** False when the ring is full and the bytes stay here. */
  #push(from: number, to: number, lines: number, unfinished: boolean): boolean {
    const flags = (this.#inside ? STARTS_INSIDE : 0) | (unfinished ? ENDS_INSIDE : 0);
    const at = this.#ring.landingAt + from;
    const { shortfallBytes } = this.#producer;
    if (this.#losing && !this.#producer.backlogged) {
      this.#losing = false;
      this.#counters.beginBurst(shortfallBytes);
    }
    let pushed = this.#producer.push(at, to - from, lines, flags, this.#oldestMicros);
    if (pushed.outcome === "full") {
      // Asked for before the second look, so that room that is made after it is
      // not overlooked.
      this.#producer.requestRoom();
      pushed = this.#producer.push(at, to - from, lines, flags, this.#oldestMicros);
    }
    if (pushed.outcome === "full") {
      this.#blocked = true;
      return false;
    }
    this.#news = true;
    if (pushed.outcome === "dropped") {
      this.#counters.add("dropped", to - from, lines);
      this.#droppedMs = this.#newestMs;
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
    if (this.#inside !== unfinished) {
      this.#inside = unfinished;
      this.#words.setFloat64(LANDING_INSIDE, unfinished ? 1 : 0, true);
    }
    return true;
  }

  /** What comes before `to` was pushed. */
  #consumeTo(to: number): void {
    if (to === this.#start) return;
    this.#start = to;
    this.#whole = Math.max(to, this.#whole);
    this.#oldestMs = this.#newestMs;
    this.#oldestMicros = this.#newestMicros;
    const rest = this.#filled - to;
    if (rest > to) return;
    const { landingAt } = this.#ring;
    if (rest > 0) this.#kernels.copy(landingAt, landingAt + to, rest);
    this.#start = 0;
    this.#filled = rest;
    this.#whole -= to;
    this.#fromByte += to;
    // One store, and last: until then what was moved is where it was as well.
    this.#kernels.store(this.#ring.at + LANDING_FROM, this.#fromByte);
  }

  /** An empty frame, whose numbers show the flusher what was dropped before it. */
  #exposeDrops(nowMs: number): void {
    this.#push(this.#start, this.#start, 0, this.#inside);
    if (this.#droppedMs !== undefined) this.#droppedMs = nowMs;
  }
}
