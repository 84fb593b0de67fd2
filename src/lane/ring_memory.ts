/** The memory that one input's reader and the flusher share: see layout.ts. */

import { MAX_PAGES } from "../kernels/kernels.ts";
import { align, CONTROL_BYTES, HEADER_BYTES } from "./layout.ts";

export const MIN_CAPACITY = 64 * 1024;
export const MAX_CAPACITY = 2 * 1024 ** 3;

const PAGE_BYTES = 64 * 1024;
const MIN_FRAME_BYTES = 4 * 1024;
const MAX_FRAME_BYTES = 64 * 1024;
/**
 * A frame is overwritten as a whole, so frames much smaller than the ring keep
 * what is lost close to what must be lost: within 1/256 of the capacity.
 */
const FRAMES_PER_RING = 256;

const HAND_PREFIX_BYTES = 8;

/** Made once by the control thread; sent to the other threads as it is. */
export interface RingMemory {
  readonly memory: WebAssembly.Memory;
  readonly landingAt: number;
  readonly landingBytes: number;
  /** The 8 bytes before the hand are the flusher's too: for what must stand before a batch. */
  readonly handAt: number;
  readonly handBytes: number;
  readonly outputAt: number;
  readonly ringAt: number;
  /** A little more than the capacity, so that headers do not eat into it. */
  readonly ringBytes: number;
  readonly capacityBytes: number;
}

/** Payload bytes that a frame of many lines should have in a ring of this capacity. */
export function preferredFrameBytes(capacityBytes: number): number {
  return Math.min(
    MAX_FRAME_BYTES,
    Math.max(MIN_FRAME_BYTES, Math.floor(capacityBytes / FRAMES_PER_RING)),
  );
}

/**
 * Reserves the memory of one input. Pages that are never touched cost nothing.
 *
 * @throws RangeError when the address space does not hold it, or a size is out of bounds.
 */
export function allocateRingMemory(
  capacityBytes: number,
  landingBytes: number,
  handBytes: number,
  outputBytes = 0,
): RingMemory {
  if (capacityBytes < MIN_CAPACITY || capacityBytes > MAX_CAPACITY) {
    throw new RangeError(`a ring of ${capacityBytes} bytes cannot be made`);
  }
  // Twice the headers of full frames, since frames are at least half full on average.
  const headerBytes = 2 * HEADER_BYTES *
    Math.ceil(capacityBytes / preferredFrameBytes(capacityBytes));
  const landingAt = CONTROL_BYTES;
  const handAt = landingAt + align(landingBytes) + HAND_PREFIX_BYTES;
  const outputAt = handAt + align(handBytes);
  const ringAt = outputAt + align(outputBytes);
  const ringBytes = align(capacityBytes + headerBytes);
  const pages = Math.ceil((ringAt + ringBytes) / PAGE_BYTES);
  if (pages > MAX_PAGES) throw new RangeError("an input needs more than 4 GiB of memory");
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  return {
    memory,
    landingAt,
    landingBytes: align(landingBytes),
    handAt,
    handBytes: align(handBytes),
    outputAt,
    ringAt,
    ringBytes,
    capacityBytes,
  };
}
