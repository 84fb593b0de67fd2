import { describeError, EINTR, lastError } from "./errno.ts";
import { libc } from "./libc.ts";
import { addressOf } from "./memory.ts";

export const POLLIN = 0x1;
export const POLLOUT = 0x4;
export const POLLERR = 0x8;
export const POLLHUP = 0x10;
export const POLLRDHUP = 0x2000;

/** `struct pollfd`, in halves of a word: the descriptor, what is wanted, what has come. */
const pollfd = new Int16Array(4);
const descriptorWord = new Int32Array(pollfd.buffer, 0, 1);
const WANTED = 2;
const FOUND = 3;
let pollfdAddress = 0;

/**
 * Waits until a descriptor is ready or the time is over (-1: for ever). The events that
 * it is ready for, 0 if none; errors and hang-ups come unasked.
 */
export function poll(descriptor: number, events: number, timeoutMs: number): number {
  pollfdAddress ||= addressOf(new Uint8Array(pollfd.buffer));
  descriptorWord[0] = descriptor;
  pollfd[WANTED] = events;
  pollfd[FOUND] = 0;
  if (libc().call.poll(pollfdAddress, 1, timeoutMs) >= 0) return pollfd[FOUND]!;
  const error = lastError();
  if (error !== -EINTR) throw new Error(`poll failed: ${describeError(-error)}`);
  return 0;
}
