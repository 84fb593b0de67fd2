import { FrameSpace } from "./frame_space.ts";
import type { Lane } from "./lane.ts";
import {
  FRAME_BYTES,
  FRAME_HEADER_CHECK,
  FRAME_PAYLOAD_CHECK,
  HEADER_BYTES,
} from "./layout.ts";

const SEED_DIGITS = 13;

/**
 * What the checksums of a run begin with. It has a name that nobody can know who writes
 * lines, so that no line looks like a frame.
 *
 * @param run a UUID
 */
export function checkSeedOf(run: string): number {
  return parseInt(run.replace(/[^0-9a-f]/g, "").slice(0, SEED_DIGITS), 16) || 0;
}

/**
 * The checksums of frames, where a lane has them: a disk may have one page of a frame as it
 * was and another as it had been. That of the header says how much of what follows is to
 * be looked at, so it counts for itself.
 */
export class FrameCheck {
  readonly #space: FrameSpace;
  readonly #seed: number;

  /** @param seed the lane's `checkSeed` */
  constructor(lane: Lane, seed: number) {
    this.#space = new FrameSpace(lane);
    this.#seed = seed;
  }

  /** All else of the frame is there. */
  write(frame: number): void {
    const { view } = this.#space;
    const payloadAt = this.#space.advance(frame, FRAME_PAYLOAD_CHECK);
    view.setFloat64(payloadAt, this.#ofPayload(frame), true);
    const headerAt = this.#space.advance(frame, FRAME_HEADER_CHECK);
    view.setUint32(headerAt, this.#ofHeader(frame), true);
  }

  isHeaderSound(frame: number): boolean {
    const at = this.#space.advance(frame, FRAME_HEADER_CHECK);
    return this.#space.view.getUint32(at, true) === this.#ofHeader(frame);
  }

  /** Its header is sound. */
  isPayloadSound(frame: number): boolean {
    const at = this.#space.advance(frame, FRAME_PAYLOAD_CHECK);
    return this.#space.view.getFloat64(at, true) === this.#ofPayload(frame);
  }

  #ofPayload(frame: number): number {
    const at = this.#space.advance(frame, FRAME_BYTES);
    const bytes = this.#space.view.getUint32(at, true);
    return this.#space.checksum(
      this.#space.advance(frame, HEADER_BYTES),
      bytes,
      this.#seed,
    );
  }

  /** 32 of its bits. */
  #ofHeader(frame: number): number {
    return this.#space.checksum(frame, FRAME_HEADER_CHECK, this.#seed) >>> 0;
  }
}
