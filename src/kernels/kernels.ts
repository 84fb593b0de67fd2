/**
 * What JavaScript has no fast word for on shared memory, as a WebAssembly module
 * of a kilobyte, whose text is kernels.wat:
 *
 *  - `copy`: `TypedArray.set` on shared memory copies byte by byte wherever source
 *    and destination are aligned differently; `memory.copy` does not.
 *  - `countNewlines`, `indexOfNewline`, `encode`: 16 bytes at a time with SIMD.
 *  - `checksum`: products of 64 bits.
 *  - 64-bit atomics without BigInt: `Atomics` on 64-bit words allocates an object
 *    for every value. Values are whole numbers up to 2^53, and exact.
 */

import { KERNEL_BYTES } from "./kernel_bytes.ts";

/** All `at`, `from` and `to` are offsets in the memory. Everything out of bounds traps. */
export interface Kernels {
  /** Copies `length` bytes; the ranges may overlap. */
  copy(to: number, from: number, length: number): void;
  countNewlines(from: number, length: number): number;
  /** Offset of the first newline, or the end of the range. */
  indexOfNewline(from: number, length: number): number;
  /**
   * Copies `length` bytes and replaces what the escape table at `table` says; see
   * escape_table.ts. Writes up to 15 bytes more than it says. Returns the end.
   */
  encode(to: number, from: number, length: number, table: number): number;
  /**
   * A number up to 2^53 that is another one, but for chance, when a bit of the range, its
   * length or the seed is another one. No secret: who knows the seed can make bytes for it.
   *
   * @param seed a whole number up to 2^53
   */
  checksum(at: number, length: number, seed: number): number;
  /** The word at a multiple of 8; sequentially consistent, as the three that follow. */
  load(at: number): number;
  store(at: number, value: number): void;
  /** Adds to the word, from 0 to 2^32 - 1. */
  add(at: number, amount: number): void;
  /** Stores `value` if the word is `expected`; returns what it was. */
  compareExchange(at: number, expected: number, value: number): number;
}

/** The largest 32-bit memory, of 64 KiB pages; kernels.wat states it, too. */
export const MAX_PAGES = 65_536;

let compiled: WebAssembly.Module | undefined;
/** Of this thread: one for each memory, however many lanes it holds. */
const made = new WeakMap<WebAssembly.Memory, Kernels>();

/** The functions over one shared memory, for the calling thread. */
export function kernels(memory: WebAssembly.Memory): Kernels {
  let found = made.get(memory);
  if (found === undefined) {
    compiled ??= new WebAssembly.Module(KERNEL_BYTES);
    const instance = new WebAssembly.Instance(compiled, { shared: { memory } });
    found = instance.exports as unknown as Kernels;
    made.set(memory, found);
  }
  return found;
}
