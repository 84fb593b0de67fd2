/** Opening a folder, and what is in it: getdents64(2). */

import process from "node:process";
import { close, O_NOFOLLOW, O_RDONLY, open } from "./descriptors.ts";
import { result } from "./errno.ts";
import { libc } from "./libc.ts";
import { addressOf } from "./memory.ts";

/** In the system call tables of x86-64 and arm64. */
const GETDENTS64_NUMBER = process.arch === "arm64" ? 61 : 217;
const O_DIRECTORY = process.arch === "arm64" ? 0o40000 : 0o200000;

const BUFFER_BYTES = 64 * 1024;
/** Of `struct linux_dirent64`: how long the entry is, and its name. */
const LENGTH_AT = 16;
const NAME_AT = 19;

const decoder = new TextDecoder();

/** Opens a folder, and not what a symbolic link leads to; or `-errno`. */
export function openFolder(path: string): number {
  return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

/** A name in an open folder, wherever that is by now, for calls that take a path. */
export function pathIn(folder: number, name: string): string {
  return `/proc/self/fd/${folder}/${name}`;
}

/**
 * The names in a folder but `.` and `..`, or `-errno`. A name that is not UTF-8 has
 * replacement characters in it, and leads nowhere.
 */
export function namesIn(path: string): string[] | number {
  const descriptor = open(path, O_RDONLY | O_DIRECTORY);
  if (descriptor < 0) return descriptor;
  const names: string[] = [];
  const bytes = new Uint8Array(BUFFER_BYTES);
  const view = new DataView(bytes.buffer);
  for (;;) {
    const address = addressOf(bytes);
    const count = result(
      libc().call.syscall(GETDENTS64_NUMBER, descriptor, address, BUFFER_BYTES, 0, 0),
    );
    if (count <= 0) {
      close(descriptor);
      return count < 0 ? count : names;
    }
    for (let at = 0; at < count; at += view.getUint16(at + LENGTH_AT, true)) {
      const name = decoder.decode(
        bytes.subarray(at + NAME_AT, bytes.indexOf(0, at + NAME_AT)),
      );
      if (name !== "." && name !== "..") names.push(name);
    }
  }
}
