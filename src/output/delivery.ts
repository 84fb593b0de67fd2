import { SinkRejection, TemporaryError } from "../errors.ts";
import { goesOn, type Outgoing } from "../formats/format.ts";
import type { LaneCounters } from "../lane/lane_counters.ts";
import { monotonicMs } from "../system/clock.ts";
import type { Board, OutputWords, Steps } from "../threads/board.ts";
import { Attempts, type SinkEvents } from "./attempts.ts";
import type { Headway, Reached } from "./headway.ts";
import type { Refused } from "./refused.ts";
import type { Custody, Sink } from "./sink.ts";
import type { Wait } from "./wait.ts";

interface DeliveryContext {
  readonly board: Board;
  /** How this output does. */
  readonly words: OutputWords;
  /** Of the thread of its output loop. */
  readonly steps: Steps;
  readonly events: SinkEvents;
}

/** Where what is delivered comes from: one input's counters, and what it was refused. */
export interface Origin {
  readonly counters: LaneCounters;
  readonly refused: Refused;
  /** Of its hand, where its lane is kept. */
  readonly headway?: Headway | undefined;
}

/** What a write took, until the sink says that it has arrived. */
interface Unsettled {
  readonly origin: Origin;
  /** When it had come in, in microseconds since 1970. */
  readonly time: number;
  bytes: number;
  /** The line that goes on in what comes next; see `Refused.line`. */
  readonly line: number | undefined;
  lines: number;
  /** How far the hand has come with it, where that is kept. */
  readonly reached: Reached | undefined;
}

/**
 * Gets one piece after the other into the sink, however often that takes, and
 * counts what was taken as soon as it was, or where the sink keeps it until it has
 * arrived, as soon as it has. It never waits: what cannot go on says so in `wait`. Only
 * on the thread of its output loop.
 */
export class Delivery {
  readonly #sink: Sink;
  readonly #words: OutputWords;
  readonly #steps: Steps;
  readonly #attempts: Attempts;
  /** The piece that is being written, and how far it has come. */
  #piece: Outgoing | undefined;
  #origin!: Origin;
  /** When the piece had come in, in microseconds since 1970. */
  #time = 0;
  #written = 0;
  #countedBytes = 0;
  #countedLines = 0;
  /** What of the input is in the bytes that were passed last. */
  #passedBytes = 0;
  #passedLines = 0;
  /** One for each write that the sink has in custody, the oldest first. */
  readonly #unsettled: Unsettled[] = [];
  /** Whose hand it is. */
  #hand: Origin | undefined;

  constructor(sink: Sink, { board, words, steps, events }: DeliveryContext) {
    this.#sink = sink;
    this.#words = words;
    this.#steps = steps;
    this.#attempts = new Attempts(sink, board, words, events);
    sink.onAppending = (identity, bytes) =>
      this.#hand?.headway?.noteFile(identity, bytes);
  }

  /**
   * True when the sink would take something. If not, the lines that are to go to it
   * stay where newer ones can take their place.
   *
   * @throws PermanentError, SinkClosedError when it never will.
   */
  ready(nowMs: number, wait: Wait): boolean {
    if (this.#sink.ready === undefined) return true;
    if (this.#attempts.mayTry(nowMs, wait)) {
      try {
        if (this.#sink.ready(wait)) return true;
      } catch (error) {
        this.#failed(error, nowMs, wait);
      }
    }
    this.#words.writingSince ??= monotonicMs();
    return false;
  }

  /** The pieces that come now are those of another batch. */
  beginHand(origin: Origin): void {
    this.#hand = origin;
    origin.headway?.begin();
  }

  /** As `beginHand`, for a batch of which an earlier run has delivered a part. */
  resumeHand(origin: Origin): void {
    this.#hand = origin;
    origin.headway?.resume();
  }

  /**
   * True when nothing is under way that has not arrived, and all that is known of it is
   * counted; else it is hurried.
   *
   * @throws PermanentError when that will never be.
   */
  settled(nowMs: number, wait: Wait): boolean {
    const { custody } = this.#sink;
    if (custody === undefined || custody.settled) return true;
    custody.hurry?.();
    this.tend(nowMs, wait);
    return custody.settled;
  }

  /**
   * Takes the next piece; `advance` must have said that there is none.
   *
   * @param time when it had come in, in microseconds since 1970
   */
  begin(piece: Outgoing, origin: Origin, time: number): void {
    this.#piece = piece;
    this.#origin = origin;
    this.#time = time;
    this.#written = this.#countedBytes = this.#countedLines = 0;
    this.#words.writingSince = monotonicMs();
    const headway = this.#headway;
    if (headway !== undefined) this.#skipDelivered(piece, headway);
    // A batch without bytes may still end a line: the last one of its input.
    if (piece.length === 0) this.#takenEmpty();
  }

  /** Moves on in a piece that an earlier run has begun to deliver. */
  #skipDelivered(piece: Outgoing, headway: Headway): void {
    const counted = headway.counted(piece);
    if (counted > 0) this.#pass(piece, counted);
    const uncounted = headway.uncounted(piece, this.#written);
    if (uncounted === 0) return;
    this.#steps.begin();
    this.#pass(piece, uncounted);
    this.#origin.counters.add("out", this.#passedBytes, this.#passedLines);
    headway.note(headway.reached);
    this.#steps.end();
  }

  /** How far the hand has come that the piece is of, where that is kept. */
  get #headway(): Headway | undefined {
    return this.#hand === this.#origin ? this.#origin.headway : undefined;
  }

  /**
   * Writes what the sink takes of the piece. True when nothing of it is left.
   *
   * @throws PermanentError, SinkClosedError when it will never be taken.
   */
  advance(nowMs: number, wait: Wait): boolean {
    const piece = this.#piece;
    if (piece === undefined) return true;
    while (this.#written < piece.length) {
      if (!this.#attempts.mayTry(nowMs, wait)) return false;
      this.#steps.begin();
      try {
        const { custody } = this.#sink;
        if (custody !== undefined) this.#settle(custody);
        if (this.#refuseRest(piece)) continue;
        const taken = this.#sink.write(piece, this.#written, wait);
        this.#taken(piece, taken);
        this.#steps.end();
        if (taken === 0) return false;
      } catch (error) {
        this.#failed(error, nowMs, wait);
      }
    }
    this.#piece = undefined;
    this.#words.writingSince = undefined;
    return true;
  }

  #taken(piece: Outgoing, bytes: number): void {
    if (bytes < 0) throw new Error(`a sink says it took ${bytes} bytes`);
    const { custody } = this.#sink;
    if (bytes > 0) {
      this.#pass(piece, bytes);
      if (custody === undefined) {
        this.#origin.counters.add("out", this.#passedBytes, this.#passedLines);
        this.#noteArrived();
        // A sink that only waited for room has not shown yet that it works.
        this.#attempts.worked();
      } else {
        this.#unsettled.push({
          origin: this.#origin,
          time: this.#time,
          line: this.#openLine(piece),
          bytes: this.#passedBytes,
          lines: this.#passedLines,
          reached: this.#hand?.headway?.reached,
        });
      }
    }
    if (custody !== undefined) this.#settle(custody);
  }

  /** Moves on in the piece, and finds out what of the input these bytes hold. */
  #pass(piece: Outgoing, bytes: number): void {
    this.#written += bytes;
    if (this.#written > piece.length) throw new Error("a sink took more than there was");
    const progress = piece.progress(this.#written);
    this.#passedBytes = progress.bytes - this.#countedBytes;
    this.#passedLines = progress.lines - this.#countedLines;
    this.#countedBytes = progress.bytes;
    this.#countedLines = progress.lines;
    this.#origin.refused.line += this.#passedLines;
    this.#headway?.advance(bytes, this.#passedBytes, this.#passedLines);
    if (bytes > 0 && this.#written < piece.length) this.#words.takenAt = monotonicMs();
  }

  /** The line that the bytes passed last are of, if it goes on in what comes next. */
  #openLine(piece: Outgoing): number | undefined {
    return goesOn(piece, this.#written) ? this.#origin.refused.line : undefined;
  }

  /** The line of the bytes that were taken last has no newline and no more bytes. */
  #takenEmpty(): void {
    this.#steps.begin();
    const { insideLine } = this.#origin.refused;
    const wasCounted = this.#headway?.isLineCounted === true;
    this.#pass(this.#piece!, 0);
    if (wasCounted) {
      this.#steps.end();
      return;
    }
    const last = this.#unsettled.findLast(({ origin }) => origin === this.#origin);
    if (insideLine) this.#rejectPassed(this.#piece!);
    else if (last === undefined) {
      this.#origin.counters.add("out", 0, this.#passedLines);
      this.#noteArrived();
    } else last.lines += this.#passedLines;
    this.#steps.end();
  }

  #settle(custody: Custody): void {
    let reached: Reached | undefined;
    for (;;) {
      const verdict = custody.takeVerdict();
      if (verdict === undefined) break;
      const oldest = this.#unsettled[0]!;
      const { origin, time } = oldest;
      const { bytes, lines } = verdict.of ?? oldest;
      const line = verdict.of === undefined ? oldest.line : undefined;
      if (verdict.of === undefined) {
        this.#unsettled.shift();
        // With the last one comes what was refused after it.
        const isLast = this.#unsettled.length === 0;
        reached = isLast ? this.#hand?.headway?.reached : oldest.reached;
      }
      oldest.bytes -= bytes;
      oldest.lines -= lines;
      if (verdict.rejected === undefined) {
        origin.counters.add("out", bytes, lines);
      } else {
        origin.counters.add("rejected", bytes, lines);
        origin.refused.add(bytes, lines, time, line);
        this.#attempts.refused(verdict.rejected);
      }
      this.#attempts.worked();
    }
    // All of what was acknowledged together, or what goes again would be cut elsewhere.
    if (reached !== undefined) this.#noteArrived(reached);
  }

  /** All of the hand that was passed on has arrived, or was refused; or so much of it. */
  #noteArrived(reached = this.#hand?.headway?.reached): void {
    if (reached !== undefined) this.#hand?.headway?.note(reached);
  }

  /** Says and counts what has gone wrong. @throws what waiting does not mend */
  #failed(error: unknown, nowMs: number, wait: Wait): void {
    if (error instanceof SinkRejection && this.#piece !== undefined) {
      this.#pass(this.#piece, error.bytes);
      this.#rejectPassed(this.#piece);
      this.#attempts.refused(error.message);
    }
    this.#steps.end();
    if (error instanceof SinkRejection) return;
    if (!(error instanceof TemporaryError)) throw error;
    this.#attempts.failed(error, nowMs, wait);
  }

  /** When the beginning of a line was refused, so is its rest: true if this was some. */
  #refuseRest(piece: Outgoing): boolean {
    if (!this.#origin.refused.insideLine) return false;
    this.#pass(piece, piece.recordEnd(this.#written) - this.#written);
    this.#rejectPassed(piece);
    this.#steps.end();
    return true;
  }

  #rejectPassed(piece: Outgoing): void {
    if (this.#unsettled.length === 0) this.#noteArrived();
    const { counters, refused } = this.#origin;
    counters.add("rejected", this.#passedBytes, this.#passedLines);
    refused.add(this.#passedBytes, this.#passedLines, this.#time, this.#openLine(piece));
  }

  /**
   * Between pieces: gets on with what the sink has in custody; true when it has less of
   * it than before. @throws PermanentError
   */
  tend(nowMs: number, wait: Wait): boolean {
    const { custody } = this.#sink;
    if (custody === undefined || custody.settled) return false;
    if (!this.#attempts.mayTry(nowMs, wait)) return false;
    const before = this.#unsettled.length;
    this.#steps.begin();
    try {
      this.#settle(custody);
      custody.tend(wait);
      this.#settle(custody);
      this.#steps.end();
    } catch (error) {
      this.#settle(custody);
      this.#failed(error, nowMs, wait);
    }
    return this.#unsettled.length < before;
  }

  /** Opens the sink again if SIGHUP has asked for it since the last call. */
  reopenIfAsked(): void {
    this.#attempts.reopenIfAsked();
  }

  /**
   * Makes everything lasting and closes the sink. False until that is done; the deadline
   * is the control thread's.
   *
   * @throws PermanentError when it can never be done.
   */
  finish(nowMs: number, wait: Wait): boolean {
    if (!this.settled(nowMs, wait) || !this.#attempts.mayTry(nowMs, wait)) return false;
    try {
      if (!this.#sink.finish(wait)) return false;
      this.#attempts.worked();
      return true;
    } catch (error) {
      this.#failed(error, nowMs, wait);
      return false;
    }
  }
}
