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

/** Of memory: what is copied to user space ends in whole ones when it ends early. */
const PAGE_BYTES = 4096;

/**
 * read(2) takes bytes out of a pipe and puts them into memory, but how many they were is
 * lost with a process that is killed before it has counted them. So a mark is put where
 * the last of them will be, and whoever comes later sees whether it is gone.
 *
 * A process that is killed while the kernel waits for a page that it copies to has read
 * what came before that page. So each page gets a mark of its own; writing it makes the
 * page present and writable, so that the kernel seldom waits. The reader's thread only.
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
   * A read is about to put `bytes` bytes at offset `to` of the landing area, or fewer when
   * it is cut short, or none, as when there was nothing to read after all.
   */
  expect(to: number, bytes: number): void {
    const end = this.#words.load(this.#at + LANDING_END);
    // The mark of an earlier read that has found less is about to be written over.
    this.#words.store(this.#at + LANDING_GOAL, end);
    for (let from = to; from < to + bytes;) {
      const until = this.#pageEnd(from, to + bytes);
      const length = Math.min(until - from, MARK.length);
      for (let index = 1; index <= length; index++) {
        this.#landing[until - index] = MARK[MARK.length - index]!;
      }
      from = until;
    }
    this.#words.store(this.#at + LANDING_GOAL, end + bytes);
  }

  /**
   * What a read has found less than was expected does not come any more, and what is about
   * to be where it was to come to is something else. While no read is under way.
   */
  forget(): void {
    this.#words.store(this.#at + LANDING_GOAL, this.#words.load(this.#at + LANDING_END));
  }

  /** How many bytes have come to offset `to` that were not counted. */
  uncounted(to: number): number {
    const bytes = this.#words.load(this.#at + LANDING_GOAL) -
      this.#words.load(this.#at + LANDING_END);
    if (bytes <= 0 || to + bytes > this.#landing.length) return 0;
    let come = to;
    for (let from = to; from < to + bytes;) {
      const until = this.#pageEnd(from, to + bytes);
      if (!this.#isMarked(from, until)) come = until;
      from = until;
    }
    return come - to;
  }

  /** The end of the page that offset `from` is in, or of what is read. */
  #pageEnd(from: number, end: number): number {
    const inPage = (this.#landing.byteOffset + from) % PAGE_BYTES;
    return Math.min(from + PAGE_BYTES - inPage, end);
  }

  #isMarked(from: number, until: number): boolean {
    const last = this.#landing.subarray(Math.max(from, until - MARK.length), until);
    const mark = MARK.subarray(MARK.length - last.length);
    return last.every((byte, index) => byte === mark[index]);
  }
}
