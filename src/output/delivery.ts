import { SinkFailure, SinkRejection } from "../errors.ts";
import type { Outgoing } from "../formats/format.ts";
import { monotonicMs } from "../system/clock.ts";
import type { Board } from "../threads/board.ts";
import type { InputCounters } from "../lane/input_counters.ts";
import { Backoff } from "./backoff.ts";
import type { Custody, Sink } from "./sink.ts";

/** What is refused for good is reported at most so often; it is counted in any case. */
const REJECTION_REPORT_MS = 10_000;

/** What a delivery tells about the sink. */
export interface SinkEvents {
  /** The sink has failed and is tried again. Once until it recovers. */
  onSinkFailing(message: string): void;
  onSinkRecovered(): void;
  /** Some lines will never be taken. At most once in ten seconds. */
  onSinkRejecting(message: string): void;
}

/** What a write took, until the sink says that it has arrived. */
interface Unsettled {
  readonly counters: InputCounters;
  readonly bytes: number;
  lines: number;
}

/**
 * Gets one piece after the other into the sink, however often that takes, and
 * counts what was taken as soon as it was, or where the sink keeps it until it has
 * arrived, as soon as it has. Flusher thread only.
 */
export class Delivery {
  readonly #sink: Sink;
  readonly #board: Board;
  readonly #events: SinkEvents;
  readonly #backoff = new Backoff();
  readonly #isReopenWanted = () => this.reopenWanted;
  #reopenedFor = 0;
  /** The piece that is being written, and how far it has come. */
  #piece!: Outgoing;
  #counters!: InputCounters;
  #written = 0;
  #countedBytes = 0;
  #countedLines = 0;
  /** What of the input stands in the bytes that were passed last. */
  #passedBytes = 0;
  #passedLines = 0;
  /** One for each write that the sink has in custody, the oldest first. */
  readonly #unsettled: Unsettled[] = [];
  #rejectionReportMs = -Infinity;

  constructor(sink: Sink, board: Board, events: SinkEvents) {
    this.#sink = sink;
    this.#board = board;
    this.#events = events;
  }

  /**
   * True when the sink would take something. If not, it was given a moment, and
   * the lines that are to go to it may have been overwritten since.
   *
   * @throws SinkError, SinkClosedError when it never will.
   */
  ready(): boolean {
    try {
      if (this.#sink.ready?.() ?? true) return true;
    } catch (error) {
      if (this.#isWorthAPause(error)) this.#pause();
    }
    this.#board.writingSince ??= monotonicMs();
    return false;
  }

  /**
   * Writes all of it. A promise only where the sink gave one: a promise for every
   * batch would be left to the garbage collector, and that of JavaScriptCore
   * counts the rings as its own and waits for as much garbage again.
   *
   * @throws SinkError, SinkClosedError when it will never be taken.
   */
  send(piece: Outgoing, counters: InputCounters): Promise<void> | undefined {
    this.#piece = piece;
    this.#counters = counters;
    this.#written = this.#countedBytes = this.#countedLines = 0;
    this.#board.writingSince = monotonicMs();
    // A batch without bytes may still end a line: the last one of its input.
    if (piece.length === 0) this.#takenEmpty();
    while (this.#written < this.#piece.length) {
      this.#board.beginStep("flusher");
      try {
        const taken = this.#sink.write(this.#piece, this.#written);
        if (typeof taken !== "number") return this.#sendWaiting(taken);
        this.#taken(taken);
        this.#board.endStep("flusher");
      } catch (error) {
        if (this.#isWorthAPause(error)) this.#pause();
      }
    }
    this.#board.writingSince = undefined;
    return undefined;
  }

  /** The rest of `send`, for a sink that answers with promises. */
  async #sendWaiting(first: Promise<number>): Promise<void> {
    let taken: number | Promise<number> = first;
    for (;;) {
      try {
        this.#taken(await taken);
        this.#board.endStep("flusher");
      } catch (error) {
        if (this.#isWorthAPause(error)) await this.#pauseServing(error);
      }
      if (this.#written === this.#piece.length) break;
      taken = this.#writeRest();
    }
    this.#board.writingSince = undefined;
  }

  /** Not to be asked for outside of a `try`: a sink may also throw at once. */
  async #writeRest(): Promise<number> {
    this.#board.beginStep("flusher");
    return await this.#sink.write(this.#piece, this.#written);
  }

  #taken(bytes: number): void {
    const { custody } = this.#sink;
    if (bytes > 0) {
      this.#pass(bytes);
      if (custody === undefined) {
        this.#counters.addOut(this.#passedBytes, this.#passedLines);
        // A sink that only waited for room has not shown yet that it works.
        this.#recovered();
      } else {
        this.#unsettled.push({
          counters: this.#counters,
          bytes: this.#passedBytes,
          lines: this.#passedLines,
        });
      }
    }
    if (custody !== undefined) this.#settle(custody);
  }

  /** Moves on in the piece, and finds out what of the input these bytes hold. */
  #pass(bytes: number): void {
    this.#written += bytes;
    const progress = this.#piece.progress(this.#written);
    this.#passedBytes = progress.bytes - this.#countedBytes;
    this.#passedLines = progress.lines - this.#countedLines;
    this.#countedBytes = progress.bytes;
    this.#countedLines = progress.lines;
    if (bytes > 0 && this.#written < this.#piece.length) {
      this.#board.takenAt = monotonicMs();
    }
  }

  /** The line of the bytes that were taken last has no newline and no more bytes. */
  #takenEmpty(): void {
    this.#board.beginStep("flusher");
    this.#pass(0);
    const last = this.#unsettled.findLast(({ counters }) => counters === this.#counters);
    if (last === undefined) this.#counters.addOut(0, this.#passedLines);
    else last.lines += this.#passedLines;
    this.#board.endStep("flusher");
  }

  #settle(custody: Custody): void {
    for (;;) {
      const verdict = custody.takeVerdict();
      if (verdict === undefined) return;
      const { counters, bytes, lines } = this.#unsettled.shift()!;
      if (verdict.rejected === undefined) counters.addOut(bytes, lines);
      else this.#rejected(verdict.rejected, counters, bytes, lines);
      this.#recovered();
    }
  }

  #recovered(): void {
    if (!this.#backoff.failing) return;
    this.#backoff.reset();
    this.#board.sinkFailingSince = undefined;
    this.#events.onSinkRecovered();
  }

  /** Says and counts what has gone wrong. False when it is no use to wait. */
  #isWorthAPause(error: unknown): boolean {
    if (error instanceof SinkRejection) {
      this.#pass(error.bytes);
      const { message } = error;
      this.#rejected(message, this.#counters, this.#passedBytes, this.#passedLines);
    }
    this.#board.endStep("flusher");
    if (error instanceof SinkRejection) return false;
    if (!(error instanceof SinkFailure)) throw error;
    if (!this.#backoff.failing) {
      this.#board.sinkFailingSince = monotonicMs();
      this.#events.onSinkFailing(error.message);
    }
    this.reopenIfAsked();
    return true;
  }

  /** Blocks this thread before the next attempt. */
  #pause(): void {
    this.#backoff.pause(this.#isReopenWanted);
    this.#board.countSinkRetry();
  }

  #rejected(why: string, counters: InputCounters, bytes: number, lines: number): void {
    counters.addRejected(bytes, lines);
    const nowMs = performance.now();
    if (nowMs - this.#rejectionReportMs < REJECTION_REPORT_MS) return;
    this.#rejectionReportMs = nowMs;
    this.#events.onSinkRejecting(why);
  }

  async #pauseServing(error: unknown): Promise<void> {
    const atLeastMs = error instanceof SinkFailure ? error.retryAfterMs : 0;
    await this.#backoff.pauseServing(this.#isReopenWanted, atLeastMs);
    this.#board.countSinkRetry();
  }

  /** How long nobody needs to call `tend`. */
  get restMs(): number {
    return this.#sink.custody?.restMs ?? Infinity;
  }

  /** For idle times: gets on with what the sink has in custody. @throws SinkError */
  tend(): Promise<void> | undefined {
    const { custody } = this.#sink;
    if (custody === undefined || custody.restMs === Infinity) return undefined;
    this.#board.beginStep("flusher");
    try {
      const tended = custody.tend();
      if (tended !== undefined) return this.#tendWaiting(custody, tended);
      this.#settle(custody);
      this.#board.endStep("flusher");
    } catch (error) {
      this.#settle(custody);
      if (this.#isWorthAPause(error)) this.#pause();
    }
    return undefined;
  }

  async #tendWaiting(custody: Custody, tended: Promise<void>): Promise<void> {
    try {
      await tended;
      this.#settle(custody);
      this.#board.endStep("flusher");
    } catch (error) {
      this.#settle(custody);
      if (this.#isWorthAPause(error)) await this.#pauseServing(error);
    }
  }

  /** SIGHUP has asked for the sink to be opened anew, and it has not been yet. */
  get reopenWanted(): boolean {
    return this.#board.reopenRequests !== this.#reopenedFor;
  }

  reopenIfAsked(): void {
    if (!this.reopenWanted) return;
    this.#reopenedFor = this.#board.reopenRequests;
    try {
      this.#sink.reopen?.();
    } catch (error) {
      if (!(error instanceof SinkFailure)) throw error;
      this.#events.onSinkFailing(error.message);
    }
  }

  /** Makes everything lasting and closes the sink. The deadline is the control thread's. */
  async finish(): Promise<void> {
    for (;;) {
      for (;;) {
        await this.tend();
        const { restMs } = this;
        if (restMs === Infinity) break;
        await new Promise((resolve) => setTimeout(resolve, restMs));
      }
      try {
        await this.#sink.finish();
        this.#recovered();
        return;
      } catch (error) {
        if (this.#isWorthAPause(error)) await this.#pauseServing(error);
      }
    }
  }
}
