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
  checkString(text);
  return encoder.encode(`${text}\0`);
}

function checkString(text: string): void {
  if (text.includes("\0")) throw new RangeError(`a path cannot contain NUL: ${text}`);
}

/** PATH_MAX: the kernel takes no longer path. */
const STRING_BYTES = 4096;
const strings: CStringBuffer[] = [];
let stringTurn = 0;

/** Used again and again, since each rotation of a file asks for a hundred names. */
class CStringBuffer {
  readonly #bytes = new Uint8Array(new ArrayBuffer(STRING_BYTES));
  readonly #address = libc().addressOf(this.#bytes);

  /** Its address, or undefined where the text has no room. */
  put(text: string): number | undefined {
    const { read, written } = encoder.encodeInto(text, this.#bytes);
    if (read < text.length || written === STRING_BYTES) return undefined;
    this.#bytes[written] = 0;
    return this.#address;
  }
}

/**
 * Address of `text` as a string of C's, for the call that it is asked for.
 *
 * @throws RangeError for a text with NUL, which C would take for its end.
 */
export function cStringAt(text: string): number {
  checkString(text);
  const buffer = strings[stringTurn] ??= new CStringBuffer();
  stringTurn = (stringTurn + 1) % MAX_ADDRESSES;
  return buffer.put(text) ?? addressOf(cString(text));
}

/** A string of the C library's; undefined for a null pointer. */
export function stringAt(address: number): string | undefined {
  if (address === 0) return undefined;
  const length = libc().call.strlen(address);
  return length === 0 ? "" : decoder.decode(libc().memoryAt(address, length).slice(0));
}
