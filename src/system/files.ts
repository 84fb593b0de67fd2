/** What can be done with an open file, and reading a small one whole. */

import { close, O_NONBLOCK, O_RDONLY, open, read } from "./descriptors.ts";
import { describeError, EFBIG, retried } from "./errno.ts";
import { kindName, status } from "./file_status.ts";
import { libc } from "./libc.ts";
import { addressOf } from "./memory.ts";

/** Reads like `read`, from a position in a file, and leaves the file's own as it is. */
export function readAt(
  descriptor: number,
  address: number,
  length: number,
  position: number,
): number {
  return retried(() => libc().call.pread(descriptor, address, length, position));
}

/** Cuts a file to `length` bytes. */
export function truncate(descriptor: number, length: number): number {
  return retried(() => libc().call.ftruncate(descriptor, length));
}

/** Makes lasting what the file holds. */
export function fsync(descriptor: number): number {
  return retried(() => libc().call.fsync(descriptor));
}

/** Of sync_file_range(2). */
const WAIT_BEFORE = 1;
const WRITE = 2;
const WAIT_AFTER = 4;

/** Has the data of a file set out for the disk, and does not wait for it. */
export function writeOut(descriptor: number): number {
  return retried(() => libc().call.sync_file_range(descriptor, 0, 0, WRITE));
}

/** Waits until the data of a file has been written; that alone does not make it lasting. */
export function waitWritten(descriptor: number): number {
  const flags = WAIT_BEFORE | WRITE | WAIT_AFTER;
  return retried(() => libc().call.sync_file_range(descriptor, 0, 0, flags));
}

/** Read at most so much of a file that is meant to be small: a key, a certificate bundle. */
const MAX_FILE_BYTES = 4 * 1024 * 1024;

/**
 * The whole of a small file, or in words why it cannot be read. What is no file, such as
 * a pipe under its name, is left alone: it could be read only once, and keep the thread.
 */
export function readFile(
  path: string,
  maxBytes = MAX_FILE_BYTES,
): Uint8Array<ArrayBuffer> | string {
  const descriptor = open(path, O_RDONLY | O_NONBLOCK);
  if (descriptor < 0) return describeError(-descriptor);
  try {
    const found = status(descriptor);
    if (typeof found === "number") return describeError(-found);
    if (found.kind !== "file") return `not a regular file but a ${kindName(found)}`;
    const content = readAll(descriptor, maxBytes);
    return typeof content === "number" ? describeError(-content) : content;
  } finally {
    close(descriptor);
  }
}

/** What is left to read, or `-errno`; EFBIG for more than `maxBytes`. */
function readAll(
  descriptor: number,
  maxBytes: number,
): Uint8Array<ArrayBuffer> | number {
  const bytes = new Uint8Array(maxBytes + 1);
  const address = addressOf(bytes);
  for (let length = 0; length <= maxBytes;) {
    const count = read(descriptor, address + length, bytes.length - length);
    if (count < 0) return count;
    if (count === 0) return bytes.slice(0, length);
    length += count;
  }
  return -EFBIG;
}
