import {
  allocateLanes,
  type Lane,
  type LaneSizes,
  lanesPerMemory,
} from "../lane/lane.ts";
import { WORDS_BYTES } from "../lane/layout.ts";
import { addressOfMemory } from "../system/memory.ts";
import { discardPages } from "../system/pages.ts";

/** So many are made at least, where they share a memory. */
const MIN_TOGETHER = 16;

/**
 * Lanes for inputs that come and go. A memory cannot be given back, so the lanes of those
 * that have gone are used again. Control thread only.
 */
export class LanePool {
  readonly #sizes: LaneSizes;
  readonly #free: Lane[] = [];
  #expected = 0;

  constructor(sizes: LaneSizes) {
    this.#sizes = sizes;
  }

  /** So many will be taken now. Each memory costs every thread functions of its own. */
  expect(lanes: number): void {
    this.#expected = lanes;
  }

  /**
   * A lane that nothing has been through.
   *
   * @throws RangeError when the system has not so much memory.
   */
  take(): Lane {
    if (this.#free.length === 0) {
      const wanted = Math.max(MIN_TOGETHER, this.#expected);
      const count = Math.min(wanted, lanesPerMemory(this.#sizes));
      this.#free.push(...allocateLanes(count, this.#sizes));
    }
    this.#expected--;
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
