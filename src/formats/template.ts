import type { Stream } from "./format.ts";
import { TIME } from "./record_layout.ts";
import type { Stamp } from "./timestamp.ts";

/** The longest text around a message, with its time. */
export const TEMPLATE_BYTES = 1024;

const encoder = new TextEncoder();

/**
 * A text around messages, kept in the shared memory, from where it is copied into
 * every record. Only its time changes, from frame to frame.
 */
export class Template {
  readonly at: number;
  readonly #memory: Uint8Array;
  readonly #headBytes: number;
  /** What follows the time; undefined in a text without one. */
  readonly #tail: Uint8Array | undefined;
  #length: number;

  /** @param at offset of TEMPLATE_BYTES that are the template's own */
  constructor({ memory }: Stream, at: number, text: string) {
    if (encoder.encode(text).length > TEMPLATE_BYTES - 32) {
      throw new Error(`a text around messages is too long: ${text}`);
    }
    const [head = "", tail] = text.split(TIME);
    const bytes = encoder.encode(head);
    memory.set(bytes, at);
    this.at = at;
    this.#memory = memory;
    this.#headBytes = this.#length = bytes.length;
    this.#tail = tail === undefined ? undefined : encoder.encode(tail);
  }

  get length(): number {
    return this.#length;
  }

  setTime(time: Stamp): void {
    const tail = this.#tail;
    if (tail === undefined) return;
    let end = this.at + this.#headBytes;
    for (let at = 0; at < time.length; at++) this.#memory[end++] = time.bytes[at]!;
    this.#memory.set(tail, end);
    this.#length = end + tail.length - this.at;
  }
}
