/** What the child is given byte for byte, as this process was given it. */

import { InputError } from "../errors.ts";
import { readFile } from "../system/files.ts";

/** Linux takes 6 MiB of arguments and environment together: execve(2). */
const MAX_BYTES = 8 * 1024 * 1024;

/**
 * The last `count` arguments of this process. The runtime's own list is text, in which
 * bytes that are not UTF-8 have been replaced.
 */
export function lastArguments(count: number): Uint8Array {
  const all = readStrings("/proc/self/cmdline");
  let from = all.length;
  for (let left = count; left > 0; left--) from = all.lastIndexOf(0, from - 2) + 1;
  return all.subarray(from);
}

/** The environment that this process was started with. */
export function startEnvironment(): Uint8Array {
  return readStrings("/proc/self/environ");
}

/** Strings that each end in NUL. */
function readStrings(path: string): Uint8Array {
  const strings = readFile(path, MAX_BYTES);
  if (typeof strings !== "string") return strings;
  throw new InputError(
    `cannot read ${path}, from where the command gets it: ${strings}`,
  );
}
