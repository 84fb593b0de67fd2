/** Addresses of this process's memory, as system calls take and give them. */

import { libc } from "./libc.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** No call here is given more addresses. */
const MAX_ADDRESSES = 4;
const kept: Uint8Array[] = [];
let turn = 0;

/**
 * Address of the first byte; good as long as the caller keeps `bytes`, and in any case
 * for the call that it is asked for: a buffer that nobody uses after the call may be
 * collected before it.
 */
export function addressOf(bytes: Uint8Array): number {
  kept[turn] = bytes;
  turn = (turn + 1) % MAX_ADDRESSES;
  return libc().addressOf(bytes);
}

/** Address of offset 0 of a WebAssembly memory that never grows. */
export function addressOfMemory(memory: WebAssembly.Memory): number {
  return libc().addressOf(new Uint8Array(memory.buffer));
}

/** @throws RangeError for a text with NUL, which C would take for its end. */
export function cString(text: string): Uint8Array {
  if (text.includes("\0")) throw new RangeError(`a path cannot contain NUL: ${text}`);
  return encoder.encode(`${text}\0`);
}

/** Address of `text` as a string of C's, for the call that it is asked for. */
export function cStringAt(text: string): number {
  return addressOf(cString(text));
}

/** A string of the C library's; undefined for a null pointer. */
export function stringAt(address: number): string | undefined {
  if (address === 0) return undefined;
  const length = libc().call.strlen(address);
  return length === 0 ? "" : decoder.decode(libc().memoryAt(address, length).slice(0));
}
