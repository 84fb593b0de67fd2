/** What can be done with an open file, and reading a small one whole. */

import { close, O_RDONLY, open, read } from "./descriptors.ts";
import { EFBIG, retried } from "./errno.ts";
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

/** Read at most so much of a file that is meant to be small: a key, a certificate bundle. */
const MAX_FILE_BYTES = 4 * 1024 * 1024;

/** The whole of a small file, or `-errno`; EFBIG for one of more than 4 MiB, say. */
export function readFile(
  path: string,
  maxBytes = MAX_FILE_BYTES,
): Uint8Array<ArrayBuffer> | number {
  const descriptor = open(path, O_RDONLY);
  if (descriptor < 0) return descriptor;
  try {
    const bytes = new Uint8Array(maxBytes + 1);
    const address = addressOf(bytes);
    let length = 0;
    for (;;) {
      const count = read(descriptor, address + length, bytes.length - length);
      if (count < 0) return count;
      if (count === 0) return bytes.slice(0, length);
      length += count;
      if (length > maxBytes) return -EFBIG;
    }
  } finally {
    close(descriptor);
  }
}
