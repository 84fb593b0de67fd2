import { type Kernels, kernels } from "../kernels/kernels.ts";
import type { Lane } from "./lane.ts";
import { SETTLED, WORD } from "./layout.ts";
import type { Place } from "./place.ts";

/** The number of a line, the number of a byte, and their checksum. */
const RECORD_BYTES = 3 * WORD;
const CHECK = 2 * WORD;

/**
 * Up to where all lines of a lane have been delivered, or were said to be missing: for
 * whoever comes when the machine has failed, and knows of nothing else in the words whether
 * it was written at the same time. There are two records, of which one is always whole.
 * The outlet's thread only.
 */
export class Settled {
  readonly #kernels: Kernels;
  readonly #view: DataView;
  readonly #at: number;
  readonly #seed: number;
  #next = 0;

  /** @param seed the lane's `checkSeed` */
  constructor({ memory, at }: Pick<Lane, "memory" | "at">, seed: number) {
    this.#kernels = kernels(memory);
    this.#view = new DataView(memory.buffer);
    this.#at = at + SETTLED;
    this.#seed = seed;
    this.#next = this.#newest === 0 ? 1 : 0;
  }

  note({ line, byte }: Pick<Place, "line" | "byte">): void {
    const at = this.#at + this.#next * RECORD_BYTES;
    line.writeTo(this.#view, at);
    byte.writeTo(this.#view, at + WORD);
    this.#view.setFloat64(at + CHECK, this.#checkOf(at), true);
    this.#next = 1 - this.#next;
  }

  /** The place that was noted last; none where no record is whole. */
  get place(): { readonly line: number; readonly byte: number } | undefined {
    const newest = this.#newest;
    if (newest === undefined) return undefined;
    const at = this.#at + newest * RECORD_BYTES;
    return { line: this.#kernels.load(at), byte: this.#kernels.load(at + WORD) };
  }

  get #newest(): number | undefined {
    const whole = [0, 1].filter((record) => {
      const at = this.#at + record * RECORD_BYTES;
      return this.#view.getFloat64(at + CHECK, true) === this.#checkOf(at);
    });
    const byteOf = (record: number) =>
      this.#kernels.load(this.#at + record * RECORD_BYTES + WORD);
    return whole.sort((one, other) => byteOf(other) - byteOf(one))[0];
  }

  #checkOf(at: number): number {
    return this.#kernels.checksum(at, CHECK, this.#seed);
  }
}
