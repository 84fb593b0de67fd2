import { SinkRejection, TemporaryError } from "../errors.ts";
import { goesOn, type Outgoing } from "../formats/format.ts";
import { monotonicMs } from "../system/clock.ts";
import type { Board, OutputWords, Steps } from "../threads/board.ts";
import { type HandJournal, NO_PROGRESS } from "../lane/hand_journal.ts";
import type { LaneCounters } from "../lane/lane_counters.ts";
import { Backoff } from "./backoff.ts";
import type { Custody, Sink } from "./sink.ts";
import type { Wait } from "./wait.ts";

/** What is refused for good is reported at most so often; it is counted in any case. */
const REJECTION_REPORT_MS = 10_000;

/** So often an acknowledgement is looked for that something waits for. */
const ACKNOWLEDGEMENT_MS = 2;

/** What a delivery tells about the sink. */
export interface SinkEvents {
  /** The sink has failed and is tried again. Once until it recovers. */
  onSinkFailing(message: string): void;
  onSinkRecovered(): void;
  /** What SIGHUP asks for was done, or has failed. */
  onReopened(): void;
  /** Some lines will never be taken. At most once in ten seconds. */
  onSinkRejecting(message: string): void;
}

export interface DeliveryContext {
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
  /** Where its lane is kept. */
  readonly journal?: HandJournal | undefined;
}

/** What the sink has refused for good of one input, and has not been reported yet. */
export class Refused {
  lines = 0;
  bytes = 0;
  /** When it had come in, in microseconds since 1970. */
  from = Infinity;
  to = -Infinity;
  /** The beginning of a line was refused, so its rest is not for the sink either. */
  insideLine = false;

  /** @param goesOn the last line of it does */
  add(bytes: number, lines: number, time: number, goesOn: boolean): void {
    this.lines += lines;
    this.bytes += bytes;
    this.from = Math.min(this.from, time);
    this.to = Math.max(this.to, time);
    this.insideLine = goesOn;
  }

  get isEmpty(): boolean {
    return this.bytes === 0 && this.lines === 0;
  }

  /** It was reported. */
  clear(): void {
    this.lines = this.bytes = 0;
    this.from = Infinity;
    this.to = -Infinity;
  }
}

/** What a write took, until the sink says that it has arrived. */
interface Unsettled {
  readonly origin: Origin;
  /** When it had come in, in microseconds since 1970. */
  readonly time: number;
  bytes: number;
  /** Its last line goes on in what comes next. */
  readonly goesOn: boolean;
  lines: number;
  /** How far the hand has come with it. */
  readonly reached: Reached;
}

/** How far a hand has come: in the output that it makes, and in the input that it holds. */
interface Reached {
  readonly output: number;
  readonly bytes: number;
  readonly lines: number;
}

const AT_BEGINNING: Reached = { output: 0, bytes: 0, lines: 0 };

/**
 * Gets one piece after the other into the sink, however often that takes, and
 * counts what was taken as soon as it was, or where the sink keeps it until it has
 * arrived, as soon as it has. It never waits: what cannot go on says so in `wait`. Only
 * on the thread of its output loop.
 */
export class Delivery {
  readonly #sink: Sink;
  readonly #context: DeliveryContext;
  readonly #words: OutputWords;
  readonly #steps: Steps;
  readonly #backoff = new Backoff();
  /** The last attempt failed, and the next is one that is counted as another. */
  #retries = false;
  #reopenedFor = 0;
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
  #rejectionReportMs = -Infinity;
  /** Whose hand it is, how far it was passed on, and what is known to be delivered of it. */
  #hand: Origin | undefined;
  #reached = AT_BEGINNING;
  #progress = NO_PROGRESS;
  #fileIdentity = "";
  /** What an earlier run has delivered of the hand, as far as it has come to say so. */
  #before = AT_BEGINNING;
  /** What the file that is written to holds beyond that. */
  #beyond: Uint8Array | undefined;

  constructor(sink: Sink, context: DeliveryContext) {
    this.#sink = sink;
    sink.onAppending = (identity, bytes) => this.#noteFile(identity, bytes);
    this.#context = context;
    this.#words = context.words;
    this.#steps = context.steps;
  }

  /**
   * True when the sink would take something. If not, the lines that are to go to it
   * stay where newer ones can take their place.
   *
   * @throws PermanentError, SinkClosedError when it never will.
   */
  ready(nowMs: number, wait: Wait): boolean {
    if (this.#sink.ready === undefined) return true;
    if (this.#mayTry(nowMs, wait)) {
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
    this.#reached = this.#before = AT_BEGINNING;
    this.#progress = origin.journal?.progress ?? NO_PROGRESS;
    const { major, minor, inode } = this.#progress.file;
    this.#fileIdentity = `${major}:${minor}:${inode}`;
    this.#beyond = undefined;
  }

  /** As `beginHand`, for a batch of which an earlier run has delivered a part. */
  resumeHand(origin: Origin): void {
    this.beginHand(origin);
    const { journal } = origin;
    if (journal === undefined) return;
    const { delivered, countedBytes, countedLines, fileBytes } = this.#progress;
    this.#before = { output: delivered, bytes: countedBytes, lines: countedLines };
    this.#beyond = this.#sink.contentFrom?.(this.#fileIdentity, fileBytes);
    if (this.#beyond?.length === 0) this.#sink.goOn?.();
  }

  /** As `resumeHand`, where all that an earlier run had in its hand was delivered. */
  goOnAfter({ progress: { file, fileBytes } }: HandJournal): void {
    const identity = `${file.major}:${file.minor}:${file.inode}`;
    if (this.#sink.contentFrom?.(identity, fileBytes)?.length === 0) this.#sink.goOn?.();
  }

  /** True when nothing is under way that has not arrived. As `tend`. */
  settled(nowMs: number, wait: Wait): boolean {
    const { custody } = this.#sink;
    if (custody === undefined) return true;
    if (!custody.settled) {
      custody.hurry?.();
      this.tend(nowMs, wait);
    } else if (this.#unsettled.length > 0) {
      this.#steps.begin();
      this.#settle(custody);
      this.#steps.end();
    }
    if (custody.settled && this.#unsettled.length === 0) return true;
    // What comes from the peer's system does not wake anybody.
    wait.until(nowMs + ACKNOWLEDGEMENT_MS);
    return false;
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
    if (this.#hand === origin) this.#skipDelivered(piece);
    // A batch without bytes may still end a line: the last one of its input.
    if (piece.length === 0) this.#takenEmpty();
  }

  /** Moves on in a piece that an earlier run has begun to deliver. */
  #skipDelivered(piece: Outgoing): void {
    const counted = Math.min(piece.length, this.#before.output - this.#reached.output);
    if (counted > 0) this.#pass(piece, counted);
    const beyond = this.#beyond;
    if (beyond === undefined || this.#written === piece.length) return;
    const rest = piece.bytes.subarray(this.#written);
    const length = Math.min(rest.length, beyond.length);
    // What is there is somebody else's where it is not what comes next.
    const isOurs = rest.subarray(0, length).every((byte, at) => byte === beyond[at]);
    this.#beyond = isOurs ? beyond.subarray(length) : undefined;
    if (!isOurs || length === 0) return;
    this.#steps.begin();
    this.#pass(piece, length);
    this.#origin.counters.add("out", this.#passedBytes, this.#passedLines);
    this.#noteDelivered(this.#reached);
    this.#steps.end();
    if (this.#beyond?.length === 0) this.#sink.goOn?.();
  }

  /** A part of the hand has arrived, or was refused, after all that comes before it. */
  #noteDelivered({ output, bytes, lines }: Reached): void {
    const journal = this.#hand?.journal;
    if (journal === undefined) return;
    const { file, fileBytes, delivered } = this.#progress;
    this.#progress = {
      delivered: output,
      countedBytes: bytes,
      countedLines: lines,
      file,
      fileBytes: fileBytes + output - delivered,
    };
    journal.progress = this.#progress;
  }

  #noteFile(identity: string, fileBytes: number): void {
    const journal = this.#hand?.journal;
    if (journal === undefined) return;
    const isKnown = identity === this.#fileIdentity && this.#progress.file.inode > 0;
    if (isKnown && fileBytes === this.#progress.fileBytes) return;
    const [major = 0, minor = 0, inode = 0] = identity.split(":").map(Number);
    this.#fileIdentity = identity;
    this.#progress = { ...this.#progress, file: { major, minor, inode }, fileBytes };
    journal.progress = this.#progress;
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
      if (!this.#mayTry(nowMs, wait)) return false;
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
        this.#noteDelivered(this.#reached);
        // A sink that only waited for room has not shown yet that it works.
        this.#recovered();
      } else {
        this.#unsettled.push({
          origin: this.#origin,
          time: this.#time,
          goesOn: goesOn(piece, this.#written),
          bytes: this.#passedBytes,
          lines: this.#passedLines,
          reached: this.#reached,
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
    if (this.#hand === this.#origin && this.#origin.journal !== undefined) {
      this.#reached = {
        output: this.#reached.output + bytes,
        bytes: this.#reached.bytes + this.#passedBytes,
        lines: this.#reached.lines + this.#passedLines,
      };
    }
    if (bytes > 0 && this.#written < piece.length) this.#words.takenAt = monotonicMs();
  }

  /** The line of the bytes that were taken last has no newline and no more bytes. */
  #takenEmpty(): void {
    this.#steps.begin();
    const wasCounted = this.#hand === this.#origin &&
      this.#reached.lines < this.#before.lines;
    this.#pass(this.#piece!, 0);
    if (wasCounted) {
      this.#steps.end();
      return;
    }
    const last = this.#unsettled.findLast(({ origin }) => origin === this.#origin);
    if (this.#origin.refused.insideLine) {
      this.#rejected(this.#origin, 0, this.#passedLines, this.#time, false);
    } else if (last === undefined) {
      this.#origin.counters.add("out", 0, this.#passedLines);
      this.#noteDelivered(this.#reached);
    } else last.lines += this.#passedLines;
    this.#steps.end();
  }

  #settle(custody: Custody): void {
    for (;;) {
      const verdict = custody.takeVerdict();
      if (verdict === undefined) return;
      const oldest = this.#unsettled[0]!;
      const { origin, time } = oldest;
      const { bytes, lines } = verdict.of ?? oldest;
      const goesOn = oldest.goesOn && verdict.of === undefined;
      if (verdict.of === undefined) {
        this.#unsettled.shift();
        // With the last one comes what was refused after it.
        const isLast = this.#unsettled.length === 0;
        this.#noteDelivered(isLast ? this.#reached : oldest.reached);
      }
      oldest.bytes -= bytes;
      oldest.lines -= lines;
      if (verdict.rejected === undefined) {
        origin.counters.add("out", bytes, lines);
      } else {
        this.#rejected(origin, bytes, lines, time, goesOn);
        this.#sayRejecting(verdict.rejected);
      }
      this.#recovered();
    }
  }

  #recovered(): void {
    if (!this.#backoff.failing) return;
    this.#backoff.reset();
    this.#retries = false;
    this.#words.failingSince = undefined;
    this.#context.events.onSinkRecovered();
  }

  /** False until the pause after a failure is over, unless something new was asked for. */
  #mayTry(nowMs: number, wait: Wait): boolean {
    if (!this.#retries) return true;
    const asked = this.reopenWanted;
    this.reopenIfAsked();
    if (!asked && nowMs < this.#backoff.retryAtMs) {
      wait.until(this.#backoff.retryAtMs);
      return false;
    }
    this.#retries = false;
    this.#words.countRetry();
    return true;
  }

  /** Says and counts what has gone wrong. @throws what waiting does not mend */
  #failed(error: unknown, nowMs: number, wait: Wait): void {
    if (error instanceof SinkRejection && this.#piece !== undefined) {
      this.#pass(this.#piece, error.bytes);
      this.#rejectPassed(this.#piece);
      this.#sayRejecting(error.message);
    }
    this.#steps.end();
    if (error instanceof SinkRejection) return;
    if (!(error instanceof TemporaryError)) throw error;
    if (!this.#backoff.failing) {
      this.#words.failingSince = monotonicMs();
      this.#context.events.onSinkFailing(error.message);
    }
    this.#backoff.failed(nowMs, error.retryAfterMs);
    this.#retries = true;
    wait.until(this.#backoff.retryAtMs);
    this.reopenIfAsked();
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
    const inside = goesOn(piece, this.#written);
    if (this.#unsettled.length === 0) this.#noteDelivered(this.#reached);
    const [bytes, lines] = [this.#passedBytes, this.#passedLines];
    this.#rejected(this.#origin, bytes, lines, this.#time, inside);
  }

  #rejected(
    origin: Origin,
    bytes: number,
    lines: number,
    time: number,
    goesOn: boolean,
  ): void {
    origin.counters.add("rejected", bytes, lines);
    // A marker that was refused holds nothing of the input.
    if (bytes > 0 || lines > 0) origin.refused.add(bytes, lines, time, goesOn);
  }

  #sayRejecting(why: string): void {
    const nowMs = performance.now();
    if (nowMs - this.#rejectionReportMs < REJECTION_REPORT_MS) return;
    this.#rejectionReportMs = nowMs;
    this.#context.events.onSinkRejecting(why);
  }

  /** Between pieces: gets on with what the sink has in custody. @throws PermanentError */
  tend(nowMs: number, wait: Wait): void {
    const { custody } = this.#sink;
    if (custody === undefined || custody.settled || !this.#mayTry(nowMs, wait)) return;
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
  }

  /** SIGHUP has asked for the sink to be reopened, and it has not been yet. */
  get reopenWanted(): boolean {
    return this.#context.board.reopenRequests !== this.#reopenedFor;
  }

  reopenIfAsked(): void {
    if (!this.reopenWanted) return;
    this.#reopenedFor = this.#context.board.reopenRequests;
    this.#sink.reopen?.();
    this.#context.events.onReopened();
  }

  /**
   * True when the sink has nothing in custody any more, and all its verdicts are counted.
   *
   * @throws PermanentError when that will never be.
   */
  settle(nowMs: number, wait: Wait): boolean {
    this.tend(nowMs, wait);
    return this.#sink.custody?.settled !== false;
  }

  /**
   * Makes everything lasting and closes the sink. False until that is done; the deadline
   * is the control thread's.
   *
   * @throws PermanentError when it can never be done.
   */
  finish(nowMs: number, wait: Wait): boolean {
    if (!this.settle(nowMs, wait) || !this.#mayTry(nowMs, wait)) return false;
    try {
      if (!this.#sink.finish(wait)) return false;
      this.#recovered();
      return true;
    } catch (error) {
      this.#failed(error, nowMs, wait);
      return false;
    }
  }
}
