import type { Kernels } from "../kernels/kernels.ts";
import type { Counts } from "./counts.ts";

const WORD = 8;
/** What one input takes of the board. */
export const COUNTERS_BYTES = 32 * WORD;

/** Offsets; the first half is the reader's, the second the flusher's. */
const LINES_IN = 0 * WORD;
const BYTES_IN = 1 * WORD;
const LINE_OPEN = 2 * WORD;
const LINES_OVERWRITTEN = 3 * WORD;
const BYTES_OVERWRITTEN = 4 * WORD;
const LINES_DROPPED = 5 * WORD;
const BYTES_DROPPED = 6 * WORD;
const SHORTFALL = 7 * WORD;
const SHORTFALL_BEFORE_BURST = 8 * WORD;
const LINES_OUT = 16 * WORD;
const BYTES_OUT = 17 * WORD;
const LINES_DISCARDED = 18 * WORD;
const BYTES_DISCARDED = 19 * WORD;
const LINES_REJECTED = 20 * WORD;
const BYTES_REJECTED = 21 * WORD;

/**
 * By how many bytes a ring was too small, since the start. A burst begins when
 * the ring is empty, so what was lost in one is what a larger ring would still
 * have held at the worst moment.
 */
export interface Shortfall {
  readonly totalBytes: number;
  /** The part of it that belongs to bursts that are over. */
  readonly beforeBurstBytes: number;
}

/**
 * What has become of one input, as its two threads count it on the board; see there
 * for what a reader of it may rely on.
 */
export class InputCounters {
  readonly #words: Kernels;
  readonly #memory: WebAssembly.Memory;
  readonly #at: number;

  constructor(words: Kernels, memory: WebAssembly.Memory, at: number) {
    this.#words = words;
    this.#memory = memory;
    this.#at = at;
  }

  /** Reader: bytes that were read, and lines that ended in them. */
  addIn(bytes: number, lines: number, lineOpen: boolean): void {
    this.#add(BYTES_IN, bytes);
    this.#add(LINES_IN, lines);
    this.#words.store(this.#at + LINE_OPEN, lineOpen ? 1 : 0);
  }

  /** Reader: what a push has overwritten. */
  addOverwritten(bytes: number, lines: number): void {
    this.#add(BYTES_OVERWRITTEN, bytes);
    this.#add(LINES_OVERWRITTEN, lines);
  }

  /** Reader: what a push found no room for. */
  addDropped(bytes: number, lines: number): void {
    this.#add(BYTES_DROPPED, bytes);
    this.#add(LINES_DROPPED, lines);
  }

  /** Reader: by how much the ring was too small for what was lost, since the start. */
  setShortfall(bytes: number): void {
    this.#words.store(this.#at + SHORTFALL, bytes);
  }

  /** Reader: the ring has been empty; what it lacked until then was another burst's. */
  beginBurst(shortfallBytes: number): void {
    this.#words.store(this.#at + SHORTFALL_BEFORE_BURST, shortfallBytes);
  }

  /** Any thread. */
  get shortfall(): Shortfall {
    const beforeBurstBytes = this.#words.load(this.#at + SHORTFALL_BEFORE_BURST);
    return { totalBytes: this.#words.load(this.#at + SHORTFALL), beforeBurstBytes };
  }

  /** What the output has taken, for measuring speeds: exact up to 2^53. */
  get bytesOut(): number {
    return this.#words.load(this.#at + BYTES_OUT);
  }

  /** Flusher: what the output has taken. */
  addOut(bytes: number, lines: number): void {
    this.#add(BYTES_OUT, bytes);
    this.#add(LINES_OUT, lines);
  }

  /** Flusher: what the output will never take. */
  addRejected(bytes: number, lines: number): void {
    this.#add(BYTES_REJECTED, bytes);
    this.#add(LINES_REJECTED, lines);
  }

  /** Flusher: pieces given up because the beginning of their line was lost. */
  setDiscarded(bytes: number, lines: number): void {
    this.#words.store(this.#at + BYTES_DISCARDED, bytes);
    this.#words.store(this.#at + LINES_DISCARDED, lines);
  }

  /** Any thread. `dropNewest` says which kind of loss discarded pieces belong to. */
  read(dropNewest: boolean): Counts {
    // What leaves is read before what comes in, so that the rest is never negative.
    const discarded = this.#pair(LINES_DISCARDED);
    const out = this.#pair(LINES_OUT);
    const rejected = this.#pair(LINES_REJECTED);
    const overwritten = this.#pair(LINES_OVERWRITTEN);
    const dropped = this.#pair(LINES_DROPPED);
    const lossKind = dropNewest ? dropped : overwritten;
    lossKind.lines += discarded.lines;
    lossKind.bytes += discarded.bytes;
    const input = this.#pair(LINES_IN);
    // The last line of an input may end without a newline.
    input.lines += this.#exact(LINE_OPEN);
    return {
      linesIn: input.lines,
      bytesIn: input.bytes,
      linesOut: out.lines,
      bytesOut: out.bytes,
      linesOverwritten: overwritten.lines,
      bytesOverwritten: overwritten.bytes,
      linesDropped: dropped.lines,
      bytesDropped: dropped.bytes,
      linesRejected: rejected.lines,
      bytesRejected: rejected.bytes,
      linesBuffered: input.lines - out.lines - overwritten.lines - dropped.lines -
        rejected.lines,
      bytesBuffered: input.bytes - out.bytes - overwritten.bytes - dropped.bytes -
        rejected.bytes,
    };
  }

  #add(word: number, amount: number): void {
    if (amount > 0) this.#words.add(this.#at + word, amount);
  }

  #pair(linesWord: number): { lines: bigint; bytes: bigint } {
    return { lines: this.#exact(linesWord), bytes: this.#exact(linesWord + WORD) };
  }

  /** All 64 bits. */
  #exact(word: number): bigint {
    return Atomics.load(new BigInt64Array(this.#memory.buffer, this.#at + word, 1), 0);
  }
}
