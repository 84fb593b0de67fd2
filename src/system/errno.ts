/**
 * The conventions of every call in this folder are the kernel's: a result below zero
 * is `-errno`. Calls that a signal interrupts are made again, unless they say
 * otherwise. Any thread may make them, and they block only that thread. Numbers are
 * those of Linux on x86-64 and arm64.
 */

import { constants } from "node:os";
import { libc } from "./libc.ts";
import { stringAt } from "./memory.ts";

export const {
  EACCES,
  EAGAIN,
  EBADF,
  EBUSY,
  ECHILD,
  ECONNREFUSED,
  EDQUOT,
  EEXIST,
  EFBIG,
  EHOSTUNREACH,
  EINPROGRESS,
  EINTR,
  EINVAL,
  EISDIR,
  EMFILE,
  EMSGSIZE,
  ENFILE,
  ENOENT,
  ENOEXEC,
  ENOMEM,
  ENOSYS,
  ENOSPC,
  ENOTDIR,
  ENXIO,
  EPERM,
  EPIPE,
  EPROTOTYPE,
  ESPIPE,
  ETIMEDOUT,
} = constants.errno;

let errnoCell: Int32Array | undefined;

/** `-errno` of this thread's last failed call. */
export function lastError(): number {
  errnoCell ??= new Int32Array(
    libc().memoryAt(Number(libc().call.__errno_location()), 4),
  );
  return -errnoCell[0]!;
}

/** Loads the library and finds errno, so that the first error is not masked by it. */
export function initialize(): void {
  lastError();
}

/** What a call returned, or `-errno`. */
export function result(value: number): number {
  return value < 0 ? lastError() : value;
}

/** The call's result, however often a signal interrupts it. */
export function retried(call: () => number): number {
  for (;;) {
    const value = result(call());
    if (value !== -EINTR) return value;
  }
}

/** What an error number means, with its name: `No such file or directory (ENOENT)`. */
export function describeError(errno: number): string {
  const entry = Object.entries(constants.errno).find(([, value]) => value === errno);
  const text = stringAt(Number(libc().call.strerror(errno)));
  return `${text} (${entry?.[0] ?? errno})`;
}
