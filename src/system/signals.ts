/** What this process does with signals; see signal(7). It is the same for all threads. */

import process from "node:process";
import { result } from "./errno.ts";
import { libc } from "./libc.ts";
import { addressOf } from "./memory.ts";

const SIG_DFL = 0;
const SIG_IGN = 1;
/** More than any C library's struct sigaction; in all of them the handler comes first. */
const SIGACTION_BYTES = 256;

/** True where the signal is ignored. @param signal its number */
export function isIgnored(signal: number): boolean {
  const action = new BigUint64Array(SIGACTION_BYTES / 8);
  const address = addressOf(new Uint8Array(action.buffer));
  const outcome = result(libc().call.sigaction(signal, 0, address));
  return outcome >= 0 && action[0] === BigInt(SIG_IGN);
}

/** Ignores a signal from now on, as will all programs that this one starts. */
export function ignore(signal: number): void {
  // Only a number that is no signal, or one that cannot be ignored, is refused.
  libc().call.signal(signal, SIG_IGN);
}

const SIG_SETMASK = 2;
/** More than any C library's sigset_t, in which each signal has a bit. */
const SIGSET_BYTES = 128;

/**
 * Lets all signals come to the calling thread, also those that whoever has started this
 * program had blocked, as one may that takes its own from a descriptor: a mask outlives
 * execve(2). One that has come by now has its effect at once.
 */
export function unblockAll(): void {
  const none = addressOf(new Uint8Array(SIGSET_BYTES));
  libc().call.sigprocmask(SIG_SETMASK, none, 0);
}

/**
 * Lets a signal that has a handler do to this process, once, what it would do without
 * one: to be stopped, and to return when it goes on.
 */
export function actAsWithoutHandler(signal: number): void {
  const handler = addressOf(new Uint8Array(SIGACTION_BYTES));
  libc().call.sigaction(signal, 0, handler);
  libc().call.signal(signal, SIG_DFL);
  libc().call.kill(process.pid, signal);
  libc().call.sigaction(signal, handler, 0);
}
