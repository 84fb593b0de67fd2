import {
  allocateLanes,
  type Lane,
  type LaneSizes,
  lanesPerMemory,
} from "../lane/lane.ts";
import { WORDS_BYTES } from "../lane/layout.ts";
import { addressOfMemory } from "../system/memory.ts";
import { discardPages } from "../system/pages.ts";

/** So many are made at once, where they share a memory. */
const MAX_TOGETHER = 16;

/**
 * Lanes for inputs that come and go. A memory cannot be given back, so the lanes of those
 * that have gone are used again. Control thread only.
 */
export class LanePool {
  readonly #sizes: LaneSizes;
  readonly #free: Lane[] = [];

  constructor(sizes: LaneSizes) {
    this.#sizes = sizes;
  }

  /**
   * A lane that nothing has been through.
   *
   * @throws RangeError when the system has not so much memory.
   */
  take(): Lane {
    if (this.#free.length === 0) {
      const count = Math.min(MAX_TOGETHER, lanesPerMemory(this.#sizes));
      this.#free.push(...allocateLanes(count, this.#sizes));
    }
    return this.#free.pop()!;
  }

  /** No thread uses it any more; what it holds is gone. */
  give(lane: Lane): void {
    const { memory, at, outputAt, outputBytes } = lane;
    new Uint8Array(memory.buffer, at, WORDS_BYTES).fill(0);
    discardPages(addressOfMemory(memory) + at, outputAt + outputBytes - at);
    this.#free.push(lane);
  }
}
