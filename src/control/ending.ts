import process from "node:process";
import type { Command } from "../child/command.ts";
import { ExitCode } from "../errors.ts";
import { lost } from "../lane/counters.ts";
import type { Plan } from "../plan.ts";
import { type Snapshot, totalOf } from "../report/events.ts";
import { napMicros } from "../system/clock.ts";
import { signal } from "../system/event_counter.ts";
import type { Board } from "../threads/board.ts";
import { hearOut } from "./signals.ts";

/** How long a read or write that is under way is waited for at the end, and how often. */
const LAST_STEP_MS = 500;
const NAP_MICROS = 200;
/** How long what is in the pipes is waited for when the deadline has passed. */
const LAST_READ_MS = 1000;
/**
 * More than all that comes after the deadline: these two, and the last report to a slow
 * reader, which is given 4 s (report/stderr.ts).
 */
const FAREWELL_MS = 6000;
/** About the longest time that timers can wait, 24 days. */
const LONG_MS = 2 ** 31 - 1;

interface EndingContext {
  readonly plan: Plan;
  readonly command: Command | undefined;
  readonly board: Board;
  /** The counter that wakes the reader. */
  readonly wakeUps: number;
  /** From now on there is a deadline: after so long the program has ended. */
  onDraining(longestMs: number): void;
  /** Nothing is read or written any more: says what has become of all lines. */
  lastReport(): Snapshot;
}

/**
 * How the program comes to its end, and the only place where it does. Control thread only.
 *
 *      running ──signal, or all inputs ended──▶ draining ──flushed, or deadline──▶ exit
 *
 * With a command it is not the signal or the inputs that count, but the command's end.
 */
export class Ending {
  readonly #context: EndingContext;
  /** See `hearOut`. */
  readonly #hearsOut: boolean;
  #deadline: ReturnType<typeof setTimeout> | undefined;
  #deadlinePassed = false;
  /** A signal has asked for it. */
  #stopping = false;
  #readerEnded = false;
  #failed = false;

  constructor(context: EndingContext) {
    this.#context = context;
    // Asked now: when it has to be known there may be no descriptor left to ask with.
    this.#hearsOut = hearOut(context.plan);
    // When nothing is left but signals to wait for, such as that of a command which has
    // closed its streams, a runtime ends by itself.
    setInterval(() => {}, LONG_MS);
  }

  /** All that will be read has been. */
  get readerEnded(): boolean {
    return this.#readerEnded;
  }

  /** Something did not work that was asked for: the exit status says so. */
  failed(): void {
    this.#failed = true;
  }

  /** As `stop`, but what the writers of a pipeline have still to say is read, too. */
  interrupt(): void {
    if (this.#stopping || !this.#hearsOut) {
      this.stop();
      return;
    }
    this.#stopping = true;
    this.drain();
  }

  /**
   * The terminal or the session is gone. The kernel and a shell may both say so, and a
   * service manager beside a SIGTERM, in either order: it is never a second wish to end.
   */
  hangUp(): void {
    if (this.#stopping) return;
    if (!this.#hearsOut) this.#stopReading();
    this.drain();
  }

  /** The first signal ends in order, the second at once. */
  stop(): void {
    if (this.#stopping) this.exit();
    this.#stopping = true;
    this.#stopReading();
    this.drain();
  }

  /** What is in the pipes is read, and what comes after that is not. */
  #stopReading(): void {
    this.#context.board.requestStop();
    signal(this.#context.wakeUps);
  }

  /** The reader has read all, or its thread has died. */
  endReader(): void {
    this.#readerEnded = true;
    if (this.#deadlinePassed) this.exit();
  }

  /** From now on there is a deadline. */
  drain(): void {
    if (this.#deadline !== undefined) return;
    const { drainTimeoutMs } = this.#context.plan;
    this.#context.onDraining(drainTimeoutMs + FAREWELL_MS);
    this.#deadline = setTimeout(() => this.#overdue(), drainTimeoutMs);
  }

  /** What is in the pipes is at least to be counted among what is not written. */
  #overdue(): void {
    if (this.#readerEnded) this.exit();
    this.#deadlinePassed = true;
    this.#stopReading();
    setTimeout(() => this.exit(), LAST_READ_MS);
  }

  /** @param code where it is known already */
  exit(code?: ExitCode): never {
    const { command, lastReport } = this.#context;
    if (command?.running) command.terminate();
    this.#halt();
    const own = this.#exitCode(lastReport());
    process.exit(code ?? this.#withCommand(own));
  }

  /**
   * A write that the kernel has just taken is counted before the counters are
   * read for the last time, unless it is one that does not return.
   */
  #halt(): void {
    const { board } = this.#context;
    board.halt();
    const deadline = performance.now() + LAST_STEP_MS;
    while (board.stepping && performance.now() < deadline) napMicros(NAP_MICROS);
  }

  #exitCode(snapshot: Snapshot): ExitCode {
    const counts = totalOf(snapshot);
    if (this.#failed) return ExitCode.failed;
    if (counts.bytesBuffered > 0n || counts.linesBuffered > 0n) return ExitCode.unflushed;
    const { bytes } = lost(counts);
    return bytes > 0n && this.#context.plan.failOnLoss ? ExitCode.loss : ExitCode.flushed;
  }

  /** The command's own status comes first, unless that says that all was well. */
  #withCommand(own: ExitCode): number {
    const { command } = this.#context;
    if (command === undefined) return own;
    if (command.exitStatus) return command.exitStatus;
    return own === ExitCode.failed ? ExitCode.failedBesideCommand : own;
  }
}
