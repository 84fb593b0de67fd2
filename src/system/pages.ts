/** Pages of this process's memory: madvise(2). */

import { libc } from "./libc.ts";

const MADV_DONTNEED = 4;

let pageBytes: number | undefined;

/**
 * Gives back what lies whole within these bytes, page by page; it is zeros from now on.
 * Best effort: where the system refuses, the bytes stay as they are.
 *
 * @param address in private memory that is not mapped from a file
 */
export function discardPages(address: number, bytes: number): void {
  pageBytes ??= libc().call.getpagesize();
  const from = Math.ceil(address / pageBytes) * pageBytes;
  const to = Math.floor((address + bytes) / pageBytes) * pageBytes;
  if (from < to) libc().call.madvise(from, to - from, MADV_DONTNEED);
}
