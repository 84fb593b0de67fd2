import { read, write } from "./descriptors.ts";
import { describeError, result } from "./errno.ts";
import { libc } from "./libc.ts";
import { addressOf } from "./memory.ts";

/** From <sys/eventfd.h>. */
const EFD_NONBLOCK = 0o4000;
const EFD_CLOEXEC = 0o2000000;

/** A counter is a word of 64 bits. */
const one = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0);
const count = new Uint8Array(8);

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
  write(counter, addressOf(one), one.length);
}

/** The thread that waits for it. */
export function clear(counter: number): void {
  read(counter, addressOf(count), count.length);
}
