import { read, write } from "./descriptors.ts";
import { describeError, result } from "./errno.ts";
import { libc } from "./libc.ts";
import { addressOf } from "./memory.ts";

/** From <sys/eventfd.h>. */
const EFD_NONBLOCK = 0o4000;
const EFD_CLOEXEC = 0o2000000;

/** A counter is a word of 64 bits. Of this thread: 1, and where a counter is read to. */
const words = BigUint64Array.of(1n, 0n);
const WORD_BYTES = 8;
let wordsAddress = 0;

/**
 * Makes a descriptor that becomes readable when `signal` is called, in whatever thread,
 * and stays so until `clear`: eventfd(2).
 *
 * @throws Error when the process has no descriptor left.
 */
export function eventCounter(): number {
  const descriptor = result(libc().call.eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (descriptor >= 0) return descriptor;
  throw new Error(`eventfd failed: ${describeError(-descriptor)}`);
}

/** Any thread. */
export function signal(counter: number): void {
  write(counter, addressOfWords(), WORD_BYTES);
}

/** The thread that waits for it. */
export function clear(counter: number): void {
  read(counter, addressOfWords() + WORD_BYTES, WORD_BYTES);
}

/** Asked for once: in Deno that takes longer than the call it is for. */
function addressOfWords(): number {
  wordsAddress ||= addressOf(new Uint8Array(words.buffer));
  return wordsAddress;
}
