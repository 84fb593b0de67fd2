import { constants } from "node:os";
import { isIgnored } from "../system/signals.ts";

const { SIGPIPE, SIGXFSZ } = constants.signals;
/** The first of real time, which the C libraries need; posix_spawn(3) of glibc ignores them. */
const LIBRARY_SIGNALS = [32, 33, 34];
const LAST_SIGNAL = 31;

/** Signals that are ignored now. To be asked for before this program ignores any. */
export function ignoredSignals(): ReadonlySet<number> {
  const ignored = new Set<number>();
  for (let signal = 1; signal <= LAST_SIGNAL; signal++) {
    if (isIgnored(signal)) ignored.add(signal);
  }
  return ignored;
}

/**
 * Signals that a child must not inherit as ignored. What was ignored at the start stays
 * so, for nohup(1) and a shell's background. The runtimes ignore two themselves, and
 * whether those were ignored before is written down nowhere.
 *
 * @param atStart what `ignoredSignals` said then
 */
export function signalsToRestore(atStart: ReadonlySet<number>): readonly number[] {
  const ours = [...ignoredSignals()].filter((signal) => !atStart.has(signal));
  return [...ours, SIGPIPE, SIGXFSZ, ...LIBRARY_SIGNALS];
}
