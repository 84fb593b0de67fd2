/**
 * The counters and states that the threads show each other: one shared block
 * of 64-bit words, each written by one thread only. Any thread may read a word
 * at any time and sees a value that was true a moment ago; two words are not of
 * the same moment, but no sum of parts ever exceeds what came in before it.
 *
 *      words 0–31            states and requests
 *      words 32 (n + 1) …    of input n
 */

import { type Kernels, kernels } from "../platform/kernels.ts";

const WORD = 8;
const BLOCK = 32 * WORD;
const PAGE_BYTES = 64 * 1024;

/** Words of the first block. */
const WRITING_SINCE = 0 * WORD;
const REOPEN_REQUESTS = 1 * WORD;
const STOP_REQUESTED = 2 * WORD;
const LOSS_ANNOUNCED = 3 * WORD;
const READER_GONE = 4 * WORD;
const TAKEN_AT = 5 * WORD;
const SINK_RETRIES = 6 * WORD;
const SINK_FAILING_SINCE = 7 * WORD;
const HALTED = 8 * WORD;
const CONTROL_RESTS = 11 * WORD;
const STEP_OF = { reader: 9 * WORD, flusher: 10 * WORD } as const;

/** Words of an input's block: the first half is the reader's, the second the flusher's. */
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

/** Of one input, at one moment. Lines are counted where they end. */
export interface Counts {
  linesIn: bigint;
  bytesIn: bigint;
  linesOut: bigint;
  bytesOut: bigint;
  linesOverwritten: bigint;
  bytesOverwritten: bigint;
  linesDropped: bigint;
  bytesDropped: bigint;
  linesRejected: bigint;
  bytesRejected: bigint;
  /** What is in none of the above: in the ring or in a thread's hand. */
  linesBuffered: bigint;
  bytesBuffered: bigint;
}

export class Board {
  readonly #words: Kernels;

  private constructor(readonly memory: WebAssembly.Memory) {
    this.#words = kernels(memory);
  }

  static create(inputs: number): Board {
    const pages = Math.ceil(BLOCK * (inputs + 1) / PAGE_BYTES);
    return new Board(
      new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true }),
    );
  }

  /** The same board, in another thread. */
  static attach(memory: WebAssembly.Memory): Board {
    return new Board(memory);
  }

  input(index: number): InputCounters {
    return new InputCounters(this.#words, this.memory, BLOCK * (index + 1));
  }

  /** Since when the flusher has been trying to deliver what is in its hand, on `monotonicMs`. */
  get writingSince(): number | undefined {
    return this.#words.load(WRITING_SINCE) || undefined;
  }

  set writingSince(time: number | undefined) {
    this.#words.store(WRITING_SINCE, time ?? 0);
  }

  /** Flusher: the output has taken a part of what is in the hand. */
  set takenAt(time: number) {
    this.#words.store(TAKEN_AT, time);
  }

  /** Since when the output has taken nothing of what it is given, on `monotonicMs`. */
  get takesNothingSince(): number | undefined {
    const since = this.#words.load(WRITING_SINCE);
    return since === 0 ? undefined : Math.max(since, this.#words.load(TAKEN_AT));
  }

  /** How often something the output refused was tried again. Flusher's. */
  get sinkRetries(): number {
    return this.#words.load(SINK_RETRIES);
  }

  countSinkRetry(): void {
    this.#words.add(SINK_RETRIES, 1);
  }

  /** Since when the output has failed at every attempt, on `monotonicMs`. Flusher's. */
  get sinkFailingSince(): number | undefined {
    return this.#words.load(SINK_FAILING_SINCE) || undefined;
  }

  set sinkFailingSince(time: number | undefined) {
    this.#words.store(SINK_FAILING_SINCE, time ?? 0);
  }

  /** How often the output was asked to be opened anew. */
  get reopenRequests(): number {
    return this.#words.load(REOPEN_REQUESTS);
  }

  requestReopen(): void {
    this.#words.add(REOPEN_REQUESTS, 1);
  }

  get stopRequested(): boolean {
    return this.#words.load(STOP_REQUESTED) === 1;
  }

  requestStop(): void {
    this.#words.store(STOP_REQUESTED, 1);
  }

  /** The reader has died: nothing more comes, and no ring says so. */
  get readerGone(): boolean {
    return this.#words.load(READER_GONE) === 1;
  }

  declareReaderGone(): void {
    this.#words.store(READER_GONE, 1);
  }

  /**
   * Before the thread does what it will count, such as a write; returns never once
   * `halt` was called, so that nothing happens that the last report does not say.
   */
  beginStep(thread: keyof typeof STEP_OF): void {
    // Said before looking: either the step is waited for or it sees the halt.
    this.#words.store(STEP_OF[thread], 1);
    if (this.#words.load(HALTED) === 0) return;
    this.#words.store(STEP_OF[thread], 0);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  }

  /** After it was counted. */
  endStep(thread: keyof typeof STEP_OF): void {
    this.#words.store(STEP_OF[thread], 0);
  }

  /** Lets no new step begin. */
  halt(): void {
    this.#words.store(HALTED, 1);
  }

  /** A step that began before `halt` has not been counted yet. */
  get stepping(): boolean {
    return this.#words.load(STEP_OF.reader) === 1 ||
      this.#words.load(STEP_OF.flusher) === 1;
  }

  /** Control: it looks at nothing from now on, until somebody ends its rest. */
  beginRest(): void {
    this.#words.store(CONTROL_RESTS, 1);
  }

  /** True if the control thread rested until now; then the caller has to tell it. */
  endRest(): boolean {
    return this.#words.load(CONTROL_RESTS) === 1 &&
      this.#words.compareExchange(CONTROL_RESTS, 1, 0) === 1;
  }

  /** True for the first caller until `acknowledgeLoss`, so that one message is enough. */
  announceLoss(): boolean {
    return this.#words.compareExchange(LOSS_ANNOUNCED, 0, 1) === 0;
  }

  acknowledgeLoss(): void {
    this.#words.store(LOSS_ANNOUNCED, 0);
  }
}

/** One input's block of the board. */
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
