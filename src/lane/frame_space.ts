import { type Kernels, kernels } from "../kernels/kernels.ts";
import { HEADER_BYTES, UNIT } from "./layout.ts";
import type { Lane } from "./lane.ts";

/**
 * The ring's bytes by offset, and going on at the beginning where it ends. What
 * both sides need to reach into frames; it orders nothing and owns nothing.
 */
export class FrameSpace {
  readonly view: DataView;
  readonly #kernels: Kernels;
  readonly #ringAt: number;
  readonly #ringEnd: number;
  readonly #ringBytes: number;

  constructor(ring: Lane) {
    this.view = new DataView(ring.memory.buffer);
    this.#kernels = kernels(ring.memory);
    this.#ringAt = ring.ringAt;
    this.#ringBytes = ring.ringBytes;
    this.#ringEnd = ring.ringAt + ring.ringBytes;
  }

  /** Where in the memory the frame at a position is. */
  offsetOf(position: number): number {
    return this.#ringAt + position % (this.#ringBytes / UNIT) * UNIT;
  }

  /** The offset `bytes` further on; at most one round. */
  advance(offset: number, bytes: number): number {
    const next = offset + bytes;
    return next < this.#ringEnd ? next : next - this.#ringBytes;
  }

  /**
   * Of what is there from an offset on: see `Kernels`. The same bytes have another one at
   * another place, if that goes over the end of the ring.
   */
  checksum(offset: number, bytes: number, seed: number): number {
    const first = Math.min(bytes, this.#ringEnd - offset);
    const sum = this.#kernels.checksum(offset, first, seed);
    if (first === bytes) return sum;
    return this.#kernels.checksum(this.#ringAt, bytes - first, sum);
  }

  /** Copies a payload from a plain place in the memory into the frame at `frame`. */
  copyIn(frame: number, from: number, bytes: number): void {
    const to = this.advance(frame, HEADER_BYTES);
    const first = Math.min(bytes, this.#ringEnd - to);
    this.#kernels.copy(to, from, first);
    if (first < bytes) this.#kernels.copy(this.#ringAt, from + first, bytes - first);
  }

  /** Copies the payload of the frame at `frame` to a plain place in the memory. */
  copyOut(to: number, frame: number, bytes: number): void {
    const from = this.advance(frame, HEADER_BYTES);
    const first = Math.min(bytes, this.#ringEnd - from);
    this.#kernels.copy(to, from, first);
    if (first < bytes) this.#kernels.copy(to + first, this.#ringAt, bytes - first);
  }
}
