import { constants } from "node:os";

/** Signals that mean nothing to this program while there is a child to pass them on to. */
const PASSED_SIGNALS = [
  "SIGHUP",
  "SIGINT",
  "SIGQUIT",
  "SIGABRT",
  "SIGUSR1",
  "SIGUSR2",
  "SIGALRM",
  "SIGTERM",
  "SIGCONT",
  "SIGTSTP",
  "SIGURG",
  "SIGXCPU",
  "SIGVTALRM",
  "SIGPROF",
  "SIGWINCH",
  "SIGIO",
] as const satisfies readonly (keyof typeof constants.signals)[];

export type PassedSignal = typeof PASSED_SIGNALS[number];

/**
 * Those to listen for: one that was ignored at the start stays ignored, for the child as
 * well, and so must not get a handler.
 */
export function signalsToPass(ignoredAtStart: ReadonlySet<number>): PassedSignal[] {
  return PASSED_SIGNALS.filter((name) => !ignoredAtStart.has(constants.signals[name]));
}

/** A terminal sends these to the whole group that is in its foreground: tty(4). */
export const TERMINAL_SIGNALS: ReadonlySet<PassedSignal> = new Set([
  "SIGINT",
  "SIGQUIT",
  "SIGTSTP",
  "SIGWINCH",
]);
