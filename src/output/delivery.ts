import { SinkFailure } from "../errors.ts";
import type { Outgoing } from "../formats/format.ts";
import type { Board, InputCounters } from "../report/board.ts";
import { Backoff } from "./backoff.ts";
import type { Sink } from "./sink.ts";

/** What a delivery tells about the sink. */
export interface SinkEvents {
  /** The sink has failed and is tried again. Once until it recovers. */
  onSinkFailing(message: string): void;
  onSinkRecovered(): void;
}

/**
 * Gets one piece after the other into the sink, however often that takes, and
 * counts what was taken as soon as it was. Flusher thread only.
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
      this.#refused(error);
    }
    this.#board.writingSince ??= Date.now();
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
    this.#board.writingSince = Date.now();
    if (piece.length === 0) this.#takenEmpty();
    const promised = this.#writeRest();
    return promised === undefined ? undefined : this.#writeAfter(promised);
  }

  /** A batch without bytes may still end a line: the last one of its input. */
  #takenEmpty(): void {
    this.#board.beginStep("flusher");
    this.#taken(0);
    this.#board.endStep("flusher");
  }

  /** Writes until all is taken, or up to a write that the sink has only promised. */
  #writeRest(): Promise<number> | undefined {
    while (this.#written < this.#piece.length) {
      this.#board.beginStep("flusher");
      try {
        const taken = this.#sink.write(this.#piece, this.#written);
        if (typeof taken !== "number") return taken;
        this.#taken(taken);
        this.#board.endStep("flusher");
      } catch (error) {
        this.#refused(error);
      }
    }
    this.#board.writingSince = undefined;
    return undefined;
  }

  async #writeAfter(promised: Promise<number>): Promise<void> {
    let next: Promise<number> | undefined = promised;
    while (next !== undefined) {
      try {
        this.#taken(await next);
        this.#board.endStep("flusher");
      } catch (error) {
        this.#refused(error);
      }
      next = this.#writeRest();
    }
  }

  #taken(bytes: number): void {
    this.#written += bytes;
    const progress = this.#piece.progress(this.#written);
    this.#counters.addOut(
      progress.bytes - this.#countedBytes,
      progress.lines - this.#countedLines,
    );
    this.#countedBytes = progress.bytes;
    this.#countedLines = progress.lines;
    if (bytes > 0 && this.#written < this.#piece.length) this.#board.takenAt = Date.now();
    // A sink that only waited for room has not shown yet that it works.
    if (bytes > 0) this.#recovered();
  }

  #recovered(): void {
    if (!this.#backoff.failing) return;
    this.#backoff.reset();
    this.#board.sinkFailingSince = undefined;
    this.#events.onSinkRecovered();
  }

  /** Pauses before the next attempt; says so at the first. */
  #refused(error: unknown): void {
    this.#board.endStep("flusher");
    if (!(error instanceof SinkFailure)) throw error;
    if (!this.#backoff.failing) {
      this.#board.sinkFailingSince = Date.now();
      this.#events.onSinkFailing(error.message);
    }
    this.reopenIfAsked();
    this.#backoff.pause(this.#isReopenWanted);
    this.#board.countSinkRetry();
  }

  /** SIGHUP has asked for the sink to be opened anew, and it has not been yet. */
  get reopenWanted(): boolean {
    return this.#board.reopenRequests !== this.#reopenedFor;
  }

  reopenIfAsked(): void {
    if (!this.reopenWanted) return;
    this.#reopenedFor = this.#board.reopenRequests;
    try {
      this.#sink.reopen();
    } catch (error) {
      if (!(error instanceof SinkFailure)) throw error;
      this.#events.onSinkFailing(error.message);
    }
  }

  /** Makes everything lasting and closes the sink. */
  async finish(): Promise<void> {
    for (;;) {
      try {
        await this.#sink.finish();
        this.#recovered();
        return;
      } catch (error) {
        this.#refused(error);
      }
    }
  }
}
