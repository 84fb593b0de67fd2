import { describeError, EINTR, lastError } from "./errno.ts";
import { libc } from "./libc.ts";
import { addressOf } from "./memory.ts";

export const POLLIN = 0x1;
export const POLLOUT = 0x4;
export const POLLERR = 0x8;
export const POLLHUP = 0x10;
export const POLLNVAL = 0x20;
export const POLLRDHUP = 0x2000;

/**
 * A reusable array of `struct pollfd`. Slots keep their number; a slot that is
 * disabled is ignored by the kernel.
 */
export class PollSet {
  readonly #words: Int32Array;
  readonly #halves: Int16Array;
  readonly #address: number;

  constructor(readonly slots: number) {
    const memory = new ArrayBuffer(slots * 8);
    this.#words = new Int32Array(memory);
    this.#halves = new Int16Array(memory);
    this.#address = addressOf(new Uint8Array(memory));
    this.#words.fill(-1);
  }

  watch(slot: number, descriptor: number, events: number): void {
    this.#words[slot * 2] = descriptor;
    this.#halves[slot * 4 + 2] = events;
    this.#halves[slot * 4 + 3] = 0;
  }

  disable(slot: number): void {
    this.watch(slot, -1, 0);
  }

  /** Waits until a slot is ready or the time is over (-1: for ever). */
  wait(timeoutMs: number): void {
    const ready = libc().call.poll(this.#address, this.slots, timeoutMs);
    if (ready >= 0) return;
    const error = lastError();
    if (error !== -EINTR) throw new Error(`poll failed: ${describeError(-error)}`);
    for (let slot = 0; slot < this.slots; slot++) this.#halves[slot * 4 + 3] = 0;
  }

  /** The events of the last wait; POLLERR, POLLHUP and POLLNVAL come unasked. */
  ready(slot: number): number {
    return this.#halves[slot * 4 + 3]!;
  }
}
