/** A file in the place of memory that this process has: mmap(2). */

import { EINTR, lastError } from "./errno.ts";
import { libc } from "./libc.ts";

const PROT_READ_WRITE = 3;
const MAP_SHARED = 0x01;
const MAP_PRIVATE = 0x02;
const MAP_FIXED = 0x10;

/** Whether the file is written to, or keeps what it holds whatever becomes of the memory. */
type Mapping = "shared" | "private";

/**
 * Puts a part of a file where `length` bytes at `address` were, all of them of this
 * process: what was there is gone. 0, or `-errno`. A byte beyond the end of the file, or
 * for which its file system has no room, ends the program with SIGBUS when it is touched:
 * see `reserve`. A lock on the file lasts as long as the mapping.
 *
 * @param address at the beginning of a page, as `offset` in the file
 */
export function mapFile(
  address: number,
  length: number,
  descriptor: number,
  offset: number,
  mapping: Mapping,
): number {
  const flags = MAP_FIXED | (mapping === "shared" ? MAP_SHARED : MAP_PRIVATE);
  const mapped = libc().call.mmap(
    address,
    length,
    PROT_READ_WRITE,
    flags,
    descriptor,
    offset,
  );
  // What it returns where it fails is no address, and not the same number everywhere.
  return Number(mapped) === address ? 0 : lastError();
}

/**
 * Makes a file at least so long and has the file system set room aside for all of it. 0,
 * or `-errno`; a file that is too long then stays as it is.
 */
export function reserve(descriptor: number, length: number): number {
  for (;;) {
    const error = libc().call.posix_fallocate(descriptor, 0, length);
    if (error !== EINTR) return -error;
  }
}

const MADV_REMOVE = 9;

/** Gives back the room that these bytes take in the file; they are zeros from then on. */
export function punchHole(address: number, length: number): void {
  libc().call.madvise(address, length, MADV_REMOVE);
}
