/** Opening, reading, writing and closing descriptors that have the system's own numbers. */

import process from "node:process";
import { EINTR, lastError, result, retried } from "./errno.ts";
import { libc } from "./libc.ts";
import { cStringAt } from "./memory.ts";

export const STDIN = 0;
export const STDOUT = 1;
export const STDERR = 2;

export const O_RDONLY = 0;
export const O_WRONLY = 1;
export const O_RDWR = 2;
export const O_CREAT = 0o100;
export const O_EXCL = 0o200;
export const O_NOCTTY = 0o400;
export const O_APPEND = 0o2000;
export const O_NONBLOCK = 0o4000;
export const O_CLOEXEC = 0o2000000;
/**
 * Finds what has the name and has no effect on it: for `status`, and for `openAgain`,
 * which then opens the very thing that was looked at, whatever has the name by then.
 */
export const O_PATH = 0o10000000;
/** One of the few that the two machines number differently. */
export const O_NOFOLLOW = process.arch === "arm64" ? 0o100000 : 0o400000;

const F_GETFL = 3;
const O_ACCMODE = 3;

/** Opens `path`; the descriptor is not inherited by child processes. */
export function open(path: string, flags: number, mode = 0): number {
  const at = cStringAt(path);
  return retried(() => libc().call.open(at, flags | O_CLOEXEC, mode));
}

/**
 * Opens the file, pipe or terminal behind `descriptor` once more, also where its name
 * is gone. Flags such as O_NONBLOCK are then this description's own; on one that was
 * handed to us they would change it for every process that shares it. `-errno` where
 * that is not possible: sockets, or a pipe of another user.
 */
export function openAgain(descriptor: number, flags: number): number {
  return open(`/proc/self/fd/${descriptor}`, flags);
}

/** What is written to the open file goes to its end, wherever that is by then. */
export function appends(descriptor: number): boolean {
  const flags = result(libc().call.fcntl(descriptor, F_GETFL, 0));
  return flags >= 0 && (flags & O_APPEND) !== 0;
}

/** Nothing can be read from it. */
export function isForWritingOnly(descriptor: number): boolean {
  const flags = result(libc().call.fcntl(descriptor, F_GETFL, 0));
  return flags >= 0 && (flags & O_ACCMODE) === O_WRONLY;
}

/** EINTR is no reason to close again: Linux has freed the number by then. */
export function close(descriptor: number): number {
  return result(libc().call.close(descriptor));
}

/** Reads at most `length` bytes to `address`; 0 is the end of the input. */
export function read(descriptor: number, address: number, length: number): number {
  for (;;) {
    const count = libc().call.read(descriptor, address, length);
    if (count >= 0) return count;
    const error = lastError();
    if (error !== -EINTR) return error;
  }
}

/** Writes at most `length` bytes from `address`; may write fewer. */
export function write(descriptor: number, address: number, length: number): number {
  for (;;) {
    const count = libc().call.write(descriptor, address, length);
    if (count >= 0) return count;
    const error = lastError();
    if (error !== -EINTR) return error;
  }
}
