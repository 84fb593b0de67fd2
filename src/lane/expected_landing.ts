import { type Kernels, kernels } from "../kernels/kernels.ts";
import type { Lane } from "./lane.ts";
import { LANDING_END, LANDING_GOAL } from "./layout.ts";

/**
 * What is put at the end of the place where a read is to put its bytes: no text has
 * these bytes, and nothing else has that was not made for it.
 */
const MARK = new Uint8Array([
  ...[0xff, 0xfe, 0xc1, 0x9d, 0x0b, 0xf7, 0x83, 0xc0],
  ...[0xfb, 0x91, 0xe6, 0xf8, 0x05, 0xc1, 0xfd, 0xff],
]);

/**
 * read(2) takes bytes out of a pipe and puts them into memory in one step, but how many
 * they were is lost with a process that is killed before it has counted them. So a mark
 * is put where the last of them will be, and whoever comes later sees whether it is
 * gone. The reader's thread only.
 */
export class ExpectedLanding {
  readonly #words: Kernels;
  readonly #at: number;
  readonly #landing: Uint8Array;

  constructor({ memory, at, landingAt, landingBytes }: Lane) {
    this.#words = kernels(memory);
    this.#at = at;
    this.#landing = new Uint8Array(memory.buffer, landingAt, landingBytes);
  }

  /**
   * A read is about to put `bytes` bytes at offset `to` of the landing area, all of them
   * or, as when there was nothing to read after all, none.
   */
  expect(to: number, bytes: number): void {
    const end = this.#words.load(this.#at + LANDING_END);
    // The mark of an earlier read that has found less is about to be written over.
    this.#words.store(this.#at + LANDING_GOAL, end);
    const length = Math.min(bytes, MARK.length);
    const markAt = to + bytes - length;
    for (let index = 0; index < length; index++) {
      this.#landing[markAt + index] = MARK[MARK.length - length + index]!;
    }
    this.#words.store(this.#at + LANDING_GOAL, end + bytes);
  }

  /** How many bytes have come to offset `to` that were not counted. */
  uncounted(to: number): number {
    const bytes = this.#words.load(this.#at + LANDING_GOAL) -
      this.#words.load(this.#at + LANDING_END);
    if (bytes <= 0 || to + bytes > this.#landing.length) return 0;
    const length = Math.min(bytes, MARK.length);
    const last = this.#landing.subarray(to + bytes - length, to + bytes);
    const mark = MARK.subarray(MARK.length - length);
    return last.every((byte, index) => byte === mark[index]) ? 0 : bytes;
  }
}
