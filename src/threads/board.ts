/**
 * States and requests that the threads show each other: one shared block of 64-bit
 * words, each written by one thread only unless it says otherwise. Any thread may read
 * a word at any time and sees a value that was true a moment ago. What is counted of
 * lines is in the lanes.
 *
 *      words 0 …      requests to all, and what concerns all
 *      words 16 …     one for each thread: is it in the middle of a step
 *      words 64 …     16 for each route: how its output does
 */

import { type Kernels, kernels } from "../kernels/kernels.ts";

const WORD = 8;
const PAGE_BYTES = 64 * 1024;

const REOPEN_REQUESTS = 0 * WORD;
const STOP_REQUESTED = 1 * WORD;
const LOSS_ANNOUNCED = 2 * WORD;
const READER_GONE = 3 * WORD;
const HALTED = 4 * WORD;
const CONTROL_RESTS = 5 * WORD;
const STEPS = 16 * WORD;
const ROUTES = 64 * WORD;
const ROUTE_BYTES = 16 * WORD;

/** Threads that take steps: the reader, and output loops. */
export const MAX_THREADS = (ROUTES - STEPS) / WORD;
/** The reader's number; output loops count from 1. */
export const READER = 0;
export const MAX_ROUTES = 4096;
const PAGES = Math.ceil((ROUTES + MAX_ROUTES * ROUTE_BYTES) / PAGE_BYTES);

export class Board {
  readonly #words: Kernels;

  private constructor(readonly memory: WebAssembly.Memory) {
    this.#words = kernels(memory);
  }

  static create(): Board {
    const size = { initial: PAGES, maximum: PAGES, shared: true };
    return new Board(new WebAssembly.Memory(size));
  }

  /** The same board, in another thread. */
  static attach(memory: WebAssembly.Memory): Board {
    return new Board(memory);
  }

  /** How the output of a route does. */
  route(index: number): OutputWords {
    return new OutputWords(this.#words, ROUTES + index * ROUTE_BYTES);
  }

  /** The steps of a thread. */
  steps(thread: number): Steps {
    return new Steps(this.#words, STEPS + thread * WORD);
  }

  /** How often all outputs were asked to be reopened. */
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

  /** Lets no new step begin. */
  halt(): void {
    this.#words.store(HALTED, 1);
  }

  /** A step that began before `halt` has not been counted yet. */
  get stepping(): boolean {
    for (let thread = 0; thread < MAX_THREADS; thread++) {
      if (this.#words.load(STEPS + thread * WORD) === 1) return true;
    }
    return false;
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

/** What one thread does between two looks at whether the program is at its end. */
export class Steps {
  readonly #words: Kernels;
  readonly #at: number;

  constructor(words: Kernels, at: number) {
    this.#words = words;
    this.#at = at;
  }

  /**
   * Before the thread does what it will count, such as a write; returns never once
   * `halt` was called, so that nothing happens that the last report does not say.
   */
  begin(): void {
    // Said before looking: either the step is waited for or it sees the halt.
    this.#words.store(this.#at, 1);
    if (this.#words.load(HALTED) === 0) return;
    this.#words.store(this.#at, 0);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  }

  /** After it was counted. */
  end(): void {
    this.#words.store(this.#at, 0);
  }
}

const WRITING_SINCE = 0 * WORD;
const TAKEN_AT = 1 * WORD;
const RETRIES = 2 * WORD;
const FAILING_SINCE = 3 * WORD;
const GONE = 4 * WORD;
const THREAD = 5 * WORD;

/** How the output of one route does; its outlet says so, and any thread may look. */
export class OutputWords {
  readonly #words: Kernels;
  readonly #at: number;

  constructor(words: Kernels, at: number) {
    this.#words = words;
    this.#at = at;
  }

  /** Control: they are another route's from now on; no outlet has them. */
  reset(): void {
    for (let word = 0; word < ROUTE_BYTES; word += WORD) {
      this.#words.store(this.#at + word, 0);
    }
  }

  /** Since when the outlet has been trying to deliver what is in its hand, on `monotonicMs`. */
  get writingSince(): number | undefined {
    return this.#words.load(this.#at + WRITING_SINCE) || undefined;
  }

  set writingSince(time: number | undefined) {
    this.#words.store(this.#at + WRITING_SINCE, time ?? 0);
  }

  /** The output has taken a part of what is in the hand. */
  set takenAt(time: number) {
    this.#words.store(this.#at + TAKEN_AT, time);
  }

  /** Since when the output has taken nothing of what it is given, on `monotonicMs`. */
  get takesNothingSince(): number | undefined {
    const since = this.#words.load(this.#at + WRITING_SINCE);
    if (since === 0) return undefined;
    return Math.max(since, this.#words.load(this.#at + TAKEN_AT));
  }

  /** Nothing more will ever be written to it. Control's. */
  get gone(): boolean {
    return this.#words.load(this.#at + GONE) === 1;
  }

  declareGone(): void {
    this.#words.store(this.#at + GONE, 1);
  }

  /** The thread that the outlet is in, as `threadId` has it; 0 before it is there. */
  get thread(): number {
    return this.#words.load(this.#at + THREAD);
  }

  set thread(id: number) {
    this.#words.store(this.#at + THREAD, id);
  }

  /** How often something the output refused was tried again. */
  get retries(): number {
    return this.#words.load(this.#at + RETRIES);
  }

  countRetry(): void {
    this.#words.add(this.#at + RETRIES, 1);
  }

  /** Since when the output has failed at every attempt, on `monotonicMs`. */
  get failingSince(): number | undefined {
    return this.#words.load(this.#at + FAILING_SINCE) || undefined;
  }

  set failingSince(time: number | undefined) {
    this.#words.store(this.#at + FAILING_SINCE, time ?? 0);
  }
}
