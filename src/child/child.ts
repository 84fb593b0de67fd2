import { constants } from "node:os";
import { adoptOrphans, kill, nextNews } from "../system/children.ts";
import { closeOthersOnExec } from "../system/close_on_exec.ts";
import { bringToForeground, currentJob, type Job } from "../system/job.ts";
import {
  openFilesLimit,
  openFilesLimitAtStart,
  setOpenFilesLimit,
} from "../system/limits.ts";
import { actAsWithoutHandler } from "../system/signals.ts";
import { spawn } from "../system/spawn.ts";
import { lastArguments, startEnvironment } from "./arguments.ts";
import { cannotStart } from "./cannot_start.ts";
import { type PassedSignal, TERMINAL_SIGNALS } from "./passed_signals.ts";
import { signalsToRestore } from "./start_state.ts";

const { SIGCONT, SIGTSTP } = constants.signals;

interface ChildRequest {
  /** As the runtime understands them; the child gets the bytes that they were made from. */
  readonly command: readonly string[];
  /** Write ends of pipes; they stay open here. */
  readonly stdout: number;
  readonly stderr: number;
  /** See `ignoredSignals`. */
  readonly ignoredAtStart: ReadonlySet<number>;
}

/**
 * The program that this one has started, and whose init it is. Without job control it
 * has a process group of its own, so that `kill 0` and `kill -- -$$` in it reach what
 * they would reach by themselves. Where a shell with job control has started this
 * program, both are in one group: then the terminal stops, continues and interrupts them
 * together, and with them the rest of a pipeline. Control thread only.
 *
 * Nobody else in this process may call waitpid(2), nor start a process.
 */
export class Child {
  readonly pid: number;
  readonly #job: Job;
  readonly #ownGroup: boolean;
  #exitStatus: number | undefined;

  private constructor(pid: number, job: Job) {
    this.pid = pid;
    this.#job = job;
    this.#ownGroup = hasOwnGroup(job);
    if (!this.#ownsTerminal) return;
    // It may have been stopped for being in the background until now.
    bringToForeground(pid);
    kill(-pid, SIGCONT);
  }

  /**
   * Starts it. There must be a handler of SIGCHLD by now, that calls `reap`.
   *
   * @throws CommandError when it cannot be started.
   */
  static start({ command, stdout, stderr, ignoredAtStart }: ChildRequest): Child {
    const job = currentJob();
    adoptOrphans();
    closeOthersOnExec();
    const pid = withLimitsOfStart(() =>
      spawn({
        args: lastArguments(command.length),
        environment: startEnvironment(),
        stdout,
        stderr,
        ownGroup: hasOwnGroup(job),
        defaultSignals: signalsToRestore(ignoredAtStart),
      })
    );
    if (pid < 0) throw cannotStart(command[0]!, -pid);
    return new Child(pid, job);
  }

  /** As a shell has it, 128 and the signal for one that was killed; undefined: it runs. */
  get exitStatus(): number | undefined {
    return this.#exitStatus;
  }

  /** On SIGCHLD: hears of what has happened, and leaves no zombie of an orphan. */
  reap(): void {
    for (let news = nextNews(); news !== undefined; news = nextNews()) {
      if (news.pid !== this.pid) continue;
      if (news.kind === "stopped") this.#stopped(news.signal);
      else this.#ended(news.kind === "exited" ? news.code : 128 + news.signal);
    }
  }

  /** A signal has come that is meant for the child. False: it has ended. */
  pass(signal: PassedSignal): boolean {
    if (this.#exitStatus !== undefined) return false;
    const number = constants.signals[signal];
    if (!this.#hasBeenTyped(signal)) kill(this.pid, number);
    // A shell waits for all of its job to stop.
    if (number === SIGTSTP && !this.#ownGroup) actAsWithoutHandler(number);
    return true;
  }

  /** The terminal has sent it to the child as well. */
  #hasBeenTyped(signal: PassedSignal): boolean {
    return !this.#ownGroup && TERMINAL_SIGNALS.has(signal) &&
      currentJob().foreground === this.#job.group;
  }

  #stopped(signal: number): void {
    // Typed at a terminal that has no shell which could let it go on.
    if (signal === SIGTSTP && this.#ownsTerminal) kill(-this.pid, SIGCONT);
  }

  #ended(exitStatus: number): void {
    this.#exitStatus = exitStatus;
    if (this.#ownsTerminal) bringToForeground(this.#job.group);
  }

  /** What is typed is for the child alone. */
  get #ownsTerminal(): boolean {
    return this.#ownGroup && this.#job.foreground === this.#job.group;
  }
}

function hasOwnGroup(job: Job): boolean {
  return job.isSessionLeader || job.foreground === undefined;
}

/** Limits are inherited, so they are this process's own for that moment. */
function withLimitsOfStart<T>(start: () => T): T {
  const [now, atStart] = [openFilesLimit(), openFilesLimitAtStart()];
  if (atStart.soft === now.soft) return start();
  setOpenFilesLimit(atStart);
  try {
    return start();
  } finally {
    setOpenFilesLimit(now);
  }
}
