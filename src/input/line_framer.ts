import { pieceLength } from "../piece_length.ts";
import { type Kernels, kernels } from "../kernels/kernels.ts";
import { ENDS_INSIDE, STARTS_INSIDE } from "../lane/layout.ts";
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

/** What the landing area must hold: an unfinished longest line, and one read. */
export function landingBytesFor(maxLineBytes: number): number {
  return maxLineBytes + 1 + READ_BYTES;
}

/**
 * Cuts the bytes that land from one input into frames of whole lines and pushes
 * them. Lines over `maxLineBytes`, and lines that take their time, go as
 * pieces: a piece that goes on with a line never holds any other line.
 *
 * The landing area holds `[whole lines | unfinished line | free]`. Whole lines
 * are pushed at once when the ring is empty; while the flusher is behind they
 * wait for company, for a few milliseconds, so that small writes do not fill
 * the ring with headers. Reader thread only.
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
  readonly #pages: UnusedPages;
  /** Bytes landed, and how many of them are whole lines. */
  #filled = 0;
  #whole = 0;
  /** How many whole lines these are, so that nothing counts them again. */
  #wholeLines = 0;
  /** The landing area begins inside a line whose first pieces were pushed. */
  #inside = false;
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
    this.#pages = new UnusedPages(ring.memory, [
      { at: ring.landingAt, bytes: ring.landingBytes },
      { at: ring.ringAt, bytes: ring.ringBytes },
    ]);
  }

  /** Offset in the shared memory where the next bytes land. */
  get landAt(): number {
    return this.#ring.landingAt + this.#filled;
  }

  /** How many bytes may land there. */
  get room(): number {
    return Math.min(this.#readBytes, this.#ring.landingBytes - this.#filled);
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
    this.#pages.use(nowMs);
    this.#newestMicros = nowMicros;
    this.#newestMs = nowMs;
    if (this.#filled === 0) {
      this.#oldestMicros = nowMicros;
      this.#oldestMs = nowMs;
    }
    const before = this.#filled;
    this.#filled += bytes;
    const newline = this.#lastNewline(before, this.#filled);
    if (newline >= 0) this.#whole = newline + 1;
    const lines = newline < 0 ? 0 : this.#countLines(before, this.#whole);
    this.#wholeLines += lines;
    this.#counters.addIn(bytes, lines, this.#whole < this.#filled);
    const tooLong = this.#filled - this.#whole > this.#maxLineBytes;
    if (this.#whole < this.#frameBytes && !tooLong && this.#producer.backlogged) return;
    this.#pushAll();
  }

  /** Monotonic time at which `tick` has something to do, in ms; Infinity: never. */
  get deadlineMs(): number {
    if (this.#blocked) return Infinity;
    if (this.#whole > 0) return this.#oldestMs + GATHER_MS;
    if (this.#filled > 0) return this.#oldestMs + UNFINISHED_MS;
    return this.#droppedMs === undefined ? Infinity : this.#droppedMs + UNFINISHED_MS;
  }

  /** Monotonic time at which `discardUnused` has something to do, in ms. */
  get discardMs(): number {
    return this.#blocked ? Infinity : this.#pages.deadlineMs;
  }

  /** Gives back the memory of a ring that has been empty for long. */
  discardUnused(nowMs: number): void {
    if (nowMs < this.discardMs) return;
    // Only here something is put into the ring, so one that is empty stays so; and an
    // outlet that has seen it before it was empty throws away what it copies.
    this.#pages.tick(nowMs, this.#filled === 0 && !this.#producer.backlogged);
  }

  /** Pushes what has waited long enough. */
  tick(nowMs: number): void {
    if (nowMs < this.deadlineMs) return;
    if (this.#whole > 0) this.#pushAll();
    else if (this.#filled > 0) this.pushUnfinished();
    else this.#exposeDrops(nowMs);
  }

  /**
   * Pushes what waits for company, without waiting any longer; but not while the
   * ring is crowded, where the headers of small frames would cost lines.
   */
  pushWhole(): void {
    if (this.#whole > 0 && !this.#blocked && !this.crowded) this.#pushAll();
  }

  /** Pushes everything, the unfinished line as it is. */
  pushUnfinished(): void {
    this.#pushAll();
    if (!this.#blocked && this.#filled > 0 && this.#push(0, this.#filled, 0, true)) {
      this.#consume(this.#filled);
    }
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
    let from = 0;
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
    this.#consume(from);
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
    this.#inside = unfinished;
    return true;
  }

  /** Moves what was not pushed to the beginning of the landing area. */
  #consume(bytes: number): void {
    if (bytes === 0) return;
    const rest = this.#filled - bytes;
    const { landingAt } = this.#ring;
    if (rest > 0) this.#kernels.copy(landingAt, landingAt + bytes, rest);
    this.#filled = rest;
    this.#whole = Math.max(0, this.#whole - bytes);
    this.#oldestMs = this.#newestMs;
    this.#oldestMicros = this.#newestMicros;
  }

  /** An empty frame, whose numbers show the flusher what was dropped before it. */
  #exposeDrops(nowMs: number): void {
    this.#push(0, 0, 0, this.#inside);
    if (this.#droppedMs !== undefined) this.#droppedMs = nowMs;
  }
}
