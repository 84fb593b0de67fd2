import { addressOfMemory } from "../system/memory.ts";
import { discardPages } from "../system/pages.ts";

/** The pages of all lanes are looked at together, so that a thousand seldom wake a thread. */
const LOOK_MS = 3000;
/** A thread is held up by so much at once, for a millisecond or two, and then goes on. */
const CHUNK_BYTES = 16 * 1024 * 1024;

/** A part of a memory. */
interface Area {
  readonly at: number;
  readonly bytes: number;
}

/**
 * Areas of a lane that one thread alone writes to. What has not been used for three to six
 * seconds is given back to the system: a ring that went round once would otherwise keep
 * its capacity for ever. That thread only.
 */
export class UnusedPages {
  readonly #memory: WebAssembly.Memory;
  readonly #areas: readonly Area[];
  #deadlineMs = Infinity;
  /** What is given back next: an area, and how much of it has been. */
  #area = 0;
  #done = 0;

  constructor(memory: WebAssembly.Memory, areas: readonly Area[]) {
    this.#memory = memory;
    this.#areas = areas;
  }

  /** When `tick` has something to do, on the clock of `use`; Infinity: never. */
  get deadlineMs(): number {
    return this.#deadlineMs;
  }

  /** Something is written to them. */
  use(nowMs: number): void {
    this.#deadlineMs = (Math.floor(nowMs / LOOK_MS) + 2) * LOOK_MS;
    this.#area = this.#done = 0;
  }

  /** @param unused nothing in them is needed, and no one can come to read it any more */
  tick(nowMs: number, unused: boolean): void {
    if (nowMs < this.#deadlineMs) return;
    if (unused) this.#discard();
    else this.use(nowMs);
  }

  /** One chunk; the deadline has passed for the next one, too. */
  #discard(): void {
    const area = this.#areas[this.#area];
    if (area === undefined) {
      this.#deadlineMs = Infinity;
      return;
    }
    const bytes = Math.min(CHUNK_BYTES, area.bytes - this.#done);
    discardPages(addressOfMemory(this.#memory) + area.at + this.#done, bytes);
    this.#done += bytes;
    if (this.#done < area.bytes) return;
    this.#area++;
    this.#done = 0;
  }
}
