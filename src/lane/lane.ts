/** The memory that one input's reader and its outlet share: see layout.ts. */

import { MAX_PAGES } from "../kernels/kernels.ts";
import { align, HEADER_BYTES, WORDS_BYTES } from "./layout.ts";

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
export interface Lane {
  readonly memory: WebAssembly.Memory;
  /** Where its words begin in the memory, and with them the lane. */
  readonly at: number;
  readonly landingAt: number;
  readonly landingBytes: number;
  /** The 8 bytes before the hand are the outlet's too: for what must go before a batch. */
  readonly handAt: number;
  readonly handBytes: number;
  readonly ringAt: number;
  /** A little more than the capacity, so that headers do not eat into it. */
  readonly ringBytes: number;
  readonly outputAt: number;
  readonly outputBytes: number;
  readonly capacityBytes: number;
  /** Its memory is a file, which whoever comes after this process can read. */
  readonly kept?: boolean;
  /** Its frames have checksums, since that file may outlive the machine: frame_check.ts. */
  readonly checkSeed?: number | undefined;
  /** What is missing in it was lost with the machine. */
  readonly damaged?: boolean;
}

/** Payload bytes that a frame of many lines should have in a ring of this capacity. */
export function preferredFrameBytes(capacityBytes: number): number {
  return Math.min(
    MAX_FRAME_BYTES,
    Math.max(MIN_FRAME_BYTES, Math.floor(capacityBytes / FRAMES_PER_RING)),
  );
}

/** The sizes of a lane's areas. */
export interface LaneSizes {
  readonly capacityBytes: number;
  readonly landingBytes: number;
  readonly handBytes: number;
  readonly outputBytes: number;
}

/**
 * Reserves one lane. Pages that are never touched cost nothing.
 *
 * @throws RangeError when the address space does not hold it, or a size is out of bounds.
 */
export function allocateLane(sizes: LaneSizes): Lane {
  return allocateLanes(1, sizes)[0]!;
}

/** One memory for several lanes has no more pages than this, unless one lane has. */
const SHARED_PAGES = 16 * 1024;

/**
 * Reserves lanes. Many of them share a memory: each memory takes an address space of
 * its own, and functions of its own in every thread.
 *
 * @throws RangeError as `allocateLane`.
 */
export function allocateLanes(count: number, sizes: LaneSizes): Lane[] {
  if (!isCapacity(sizes.capacityBytes)) {
    throw new RangeError(`a ring of ${sizes.capacityBytes} bytes cannot be made`);
  }
  const pages = pagesOf(sizes);
  if (pages > MAX_PAGES) throw new RangeError("an input needs more than 4 GiB of memory");
  const perMemory = lanesPerMemory(sizes);
  const lanes: Lane[] = [];
  while (lanes.length < count) {
    const together = Math.min(perMemory, count - lanes.length);
    const size = { initial: together * pages, maximum: together * pages };
    const memory = new WebAssembly.Memory({ ...size, shared: true });
    for (let index = 0; index < together; index++) {
      lanes.push({ memory, ...layOut(index * pages * PAGE_BYTES, sizes) });
    }
  }
  return lanes;
}

/** Whether there can be a lane of these sizes, if the system has so much. */
export function arePossible(sizes: LaneSizes): boolean {
  return isCapacity(sizes.capacityBytes) && pagesOf(sizes) <= MAX_PAGES;
}

function isCapacity(bytes: number): boolean {
  return bytes >= MIN_CAPACITY && bytes <= MAX_CAPACITY;
}

function pagesOf(sizes: LaneSizes): number {
  const { outputAt, outputBytes } = layOut(0, sizes);
  return Math.ceil((outputAt + outputBytes) / PAGE_BYTES);
}

/** How many lanes of these sizes share a memory. */
export function lanesPerMemory(sizes: LaneSizes): number {
  return Math.max(1, Math.floor(SHARED_PAGES / pagesOf(sizes)));
}

/** Bytes from the beginning of a lane to its output area: what is worth keeping of it. */
export function keptBytes({ at, outputAt }: Pick<Lane, "at" | "outputAt">): number {
  return outputAt - at;
}

function layOut(at: number, sizes: LaneSizes): Omit<Lane, "memory"> {
  const { capacityBytes, landingBytes, handBytes, outputBytes } = sizes;
  // Twice the headers of full frames, since frames are at least half full on average.
  const headerBytes = 2 * HEADER_BYTES *
    Math.ceil(capacityBytes / preferredFrameBytes(capacityBytes));
  const landingAt = at + WORDS_BYTES;
  const handAt = landingAt + align(landingBytes) + HAND_PREFIX_BYTES;
  const ringAt = handAt + align(handBytes);
  const ringBytes = align(capacityBytes + headerBytes);
  return {
    at,
    landingAt,
    landingBytes: align(landingBytes),
    handAt,
    handBytes: align(handBytes),
    ringAt,
    ringBytes,
    // A file is mapped page by page, and what comes after it is not in it.
    outputAt: Math.ceil((ringAt + ringBytes) / PAGE_BYTES) * PAGE_BYTES,
    outputBytes: align(outputBytes),
    capacityBytes,
  };
}
