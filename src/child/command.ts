import process from "node:process";
import { constants } from "node:os";
import { close, STDERR, STDOUT } from "../system/descriptors.ts";
import { status } from "../system/file_status.ts";
import { pipeToReadFrom } from "../system/pipes.ts";
import { ignore } from "../system/signals.ts";
import { Child } from "./child.ts";
import { type PassedSignal, signalsToPass } from "./passed_signals.ts";
import { ignoredSignals } from "./start_state.ts";

const { SIGPIPE, SIGSTKFLT, SIGTTOU, SIGXFSZ } = constants.signals;

/** What the command line says of it, and where its output can be read. */
export interface CommandSpec {
  readonly words: readonly string[];
  /** Read ends of the pipes that it writes to. */
  readonly stdout: number;
  readonly stderr: number;
  /** This program's standard output and standard error are the same file. */
  readonly sharedOutput: boolean;
}

/** What the program hears while it is the init of a command. */
interface CommandEvents {
  /** It has ended. Processes that it has left behind may still write. */
  ended(): void;
  /** A signal that would end any program has come, and there is no command to have it. */
  end(): void;
  /** As `end`, for SIGHUP, which may come beside another that says the same. */
  hangUp(): void;
  /** What SIGHUP asks for as well, where the output can be reopened. */
  readonly reopen: (() => void) | undefined;
}

/** These end a program that does not say otherwise, in order. */
const STOPPING: ReadonlySet<PassedSignal> = new Set([
  ...["SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP"] as const,
  ...["SIGALRM", "SIGVTALRM", "SIGPROF", "SIGXCPU"] as const,
]);
/** These are meant for no one, and would end or stop this program. */
const IGNORED = [SIGPIPE, SIGSTKFLT, SIGTTOU, SIGXFSZ];

/** The command from its preparation to its end. Control thread only. */
export class Command implements CommandSpec {
  readonly stdout: number;
  readonly stderr: number;
  readonly sharedOutput = isSameFile(STDOUT, STDERR);
  /** Their write ends. */
  readonly #writeEnds: readonly [number, number];
  readonly #ignoredAtStart = ignoredSignals();
  #events!: CommandEvents;
  #child: Child | undefined;
  /** What has come before there was a child, and keeps it from being started. */
  #stoppedBy: PassedSignal | undefined;

  constructor(readonly words: readonly string[]) {
    const [stdout, writeStdout] = pipeToReadFrom();
    const [stderr, writeStderr] = pipeToReadFrom();
    this.stdout = stdout;
    this.stderr = stderr;
    this.#writeEnds = [writeStdout, writeStderr];
  }

  /** As messages call it. */
  get name(): string {
    return this.words[0]!;
  }

  /** As a shell has it; undefined before its end. */
  get exitStatus(): number | undefined {
    if (this.#stoppedBy !== undefined) return 128 + constants.signals[this.#stoppedBy];
    return this.#child?.exitStatus;
  }

  get running(): boolean {
    return this.#child !== undefined && this.exitStatus === undefined;
  }

  /** From now on signals are the command's. */
  listen(events: CommandEvents): void {
    this.#events = events;
    IGNORED.forEach(ignore);
    process.on("SIGCHLD", () => this.#reap());
    for (const signal of signalsToPass(this.#ignoredAtStart)) {
      process.on(signal, () => this.#heard(signal));
    }
  }

  /**
   * Starts it. Both its streams go to the pipe of standard output, in the order in which
   * it writes them, or each to its own. Where a signal has asked for the end by now,
   * nothing is started, and the streams end.
   *
   * @throws CommandError when it cannot be started.
   */
  start(streams: "together" | "apart"): void {
    const [stdout, stderr] = this.#writeEnds;
    if (this.#stoppedBy === undefined) {
      this.#child = Child.start({
        command: this.words,
        stdout,
        stderr: streams === "together" ? stdout : stderr,
        ignoredAtStart: this.#ignoredAtStart,
      });
    }
    // The pipes end when nobody has their write ends any more.
    this.#writeEnds.forEach(close);
    if (streams === "together") close(this.stderr);
  }

  /** Asks it to end, where this program cannot go on. */
  terminate(): void {
    this.#child?.pass("SIGTERM");
  }

  #reap(): void {
    const wasRunning = this.running;
    this.#child?.reap();
    if (wasRunning && !this.running) this.#events.ended();
  }

  #heard(signal: PassedSignal): void {
    const { reopen, end, hangUp } = this.#events;
    const reopens = signal === "SIGHUP" && reopen !== undefined;
    // Before the command has it: what it says then is for the new file.
    if (reopens) reopen();
    if (this.#child?.pass(signal) || !STOPPING.has(signal)) return;
    if (this.#child === undefined) this.#stoppedBy ??= signal;
    else if (reopens) return;
    if (signal === "SIGHUP") hangUp();
    else end();
  }
}

function isSameFile(one: number, other: number): boolean {
  const [found, otherFound] = [status(one), status(other)];
  return typeof found !== "number" && typeof otherFound !== "number" &&
    found.identity === otherFound.identity;
}
