/** The whole table of signals, and what each asks of the program. Control thread only. */

import { constants } from "node:os";
import process from "node:process";
import { inputsOf, type Plan } from "../plan.ts";
import { close, STDIN } from "../system/descriptors.ts";
import { status } from "../system/file_status.ts";
import { pipe } from "../system/pipes.ts";
import { ignore, isIgnored } from "../system/signals.ts";

type SignalName = Exclude<keyof typeof constants.signals, SecondName>;
/** Other names for SIGABRT, SIGIO and SIGSYS, and some that Linux has not. */
type SecondName = "SIGIOT" | "SIGPOLL" | "SIGUNUSED" | "SIGBREAK" | "SIGLOST" | "SIGINFO";

type Decision =
  /** End, but first hear out the writers, who have got the same signal. */
  | "interrupt"
  | "end"
  | "hang up"
  | "report"
  /** Nothing happens; the system call that it belongs to fails, and says why. */
  | "ignored"
  /** What the system does of itself. */
  | "default"
  /** The runtime needs it for itself. */
  | "runtime";

export const SIGNALS: Readonly<Record<SignalName, Decision>> = {
  // A terminal sends these to all programs of a pipeline.
  SIGINT: "interrupt",
  SIGQUIT: "interrupt",
  SIGHUP: "hang up",
  SIGTERM: "end",
  // Timers and limits that this program may have been started with.
  SIGALRM: "end",
  SIGVTALRM: "end",
  SIGPROF: "end",
  SIGXCPU: "end",
  // dd(1) takes the first; under `deno run` it also opens a debugger.
  SIGUSR1: "report",
  SIGUSR2: "report",
  SIGPIPE: "ignored",
  SIGXFSZ: "ignored",
  // With `stty tostop` a report from the background would stop this program, and with it
  // the one whose logs it reads.
  SIGTTOU: "ignored",
  // Nobody means this program by them, and by default they would end it.
  SIGIO: "ignored",
  SIGSTKFLT: "ignored",
  // Stopping and going on: the whole pipeline does it together.
  SIGTSTP: "default",
  SIGTTIN: "default",
  SIGCONT: "default",
  // By default nothing happens.
  SIGCHLD: "default",
  SIGURG: "default",
  SIGWINCH: "default",
  // Nobody can do anything about these.
  SIGKILL: "default",
  SIGSTOP: "default",
  // Faults of the program itself, of which a runtime may have more to say.
  SIGABRT: "runtime",
  SIGBUS: "runtime",
  SIGFPE: "runtime",
  SIGILL: "runtime",
  SIGSEGV: "runtime",
  SIGSYS: "runtime",
  SIGTRAP: "runtime",
  // Bun stops its threads with it to collect garbage.
  SIGPWR: "runtime",
};

/** What the program does when it is asked to. */
interface SignalHandlers {
  interrupt(): void;
  hangUp(): void;
  end(): void;
  report(): void;
  /** Where the output can be reopened. */
  readonly reopen: (() => void) | undefined;
}

/**
 * Decides for every signal. One that would end the program, and that whoever has started
 * it had ignored, stays ignored: nohup(1), `trap '' INT`, a shell's background.
 */
export function settleSignals(handlers: SignalHandlers): void {
  for (const [name, decision] of Object.entries(SIGNALS) as [SignalName, Decision][]) {
    const number = constants.signals[name];
    switch (decision) {
      case "ignored":
        ignore(number);
        break;
      case "report":
        process.on(name, () => handlers.report());
        break;
      case "end":
      case "interrupt":
        if (!isIgnored(number)) process.on(name, () => handlers[decision]());
        break;
      case "hang up":
        if (handlers.reopen) {
          process.on(name, handlers.reopen);
        } else if (!isIgnored(number)) {
          process.on(name, () => handlers.hangUp());
        }
    }
  }
}

/**
 * True where all writers can be expected to end on the signal that has come: those of a
 * pipeline get what its terminal sends, and nobody else can open its pipe. A named pipe
 * may have writers that never leave, and so may those of a folder.
 *
 * @throws Error when the process has no descriptor left.
 */
export function hearOut(plan: Pick<Plan, "routes" | "folders">): boolean {
  if (plan.folders !== undefined) return false;
  const ends = pipe();
  const anonymous = deviceOf(ends[0]);
  ends.forEach(close);
  return inputsOf(plan).every(({ source }) =>
    source.kind === "descriptor" && source.number === STDIN &&
    deviceOf(source.number) === anonymous
  );
}

/** Of the file system that holds it; all anonymous pipes are in one. */
function deviceOf(descriptor: number): string | undefined {
  const found = status(descriptor);
  return typeof found === "number" ? undefined : found.device;
}
