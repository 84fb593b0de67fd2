/** Texts through descriptors, for the tests of system calls. */

import { read, write } from "../../src/system/descriptors.ts";
import { addressOf } from "../../src/system/memory.ts";
import { encode } from "../lane/ring_pair.ts";

/** Higher than any limit on open files. */
export const NO_DESCRIPTOR = 2 ** 30;

/** In a new folder that is gone afterwards. */
export function withFolder(test: (folder: string) => void): void {
  const folder = Deno.makeTempDirSync();
  try {
    test(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** How much of it was written, or `-errno`. */
export function writeText(descriptor: number, text: string): number {
  const bytes = encode(text);
  return write(descriptor, addressOf(bytes), bytes.length);
}

/** What one read gives, or `-errno`. */
export function readText(descriptor: number, length = 64 * 1024): string | number {
  const bytes = new Uint8Array(length);
  const count = read(descriptor, addressOf(bytes), length);
  return count < 0 ? count : new TextDecoder().decode(bytes.subarray(0, count));
}
