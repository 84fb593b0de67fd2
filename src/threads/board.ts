/**
 * The counters and states that the threads show each other: one shared block
 * of 64-bit words, each written by one thread only. Any thread may read a word
 * at any time and sees a value that was true a moment ago; two words are not of
 * the same moment, but no sum of parts ever exceeds what came in before it.
 *
 *      words 0–31            states and requests
 *      words 32 (n + 1) …    of input n: input_counters.ts
 */

import { type Kernels, kernels } from "../kernels/kernels.ts";
import { COUNTERS_BYTES, InputCounters } from "../lane/input_counters.ts";

const WORD = 8;
const STATES_BYTES = 32 * WORD;
const PAGE_BYTES = 64 * 1024;

/** Offsets of states and requests. */
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

export class Board {
  readonly #words: Kernels;

  private constructor(readonly memory: WebAssembly.Memory) {
    this.#words = kernels(memory);
  }

  static create(inputs: number): Board {
    const pages = Math.ceil((STATES_BYTES + inputs * COUNTERS_BYTES) / PAGE_BYTES);
    return new Board(
      new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true }),
    );
  }

  /** The same board, in another thread. */
  static attach(memory: WebAssembly.Memory): Board {
    return new Board(memory);
  }

  input(index: number): InputCounters {
    const at = STATES_BYTES + index * COUNTERS_BYTES;
    return new InputCounters(this.#words, this.memory, at);
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
