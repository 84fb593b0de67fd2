import { type Kernels, kernels } from "../kernels/kernels.ts";
import { ExpectedLanding } from "../lane/expected_landing.ts";
import type { Lane } from "../lane/lane.ts";
import {
  LANDING_END,
  LANDING_FROM,
  LANDING_INSIDE,
  LANDING_TIME,
  NEXT_BYTE,
} from "../lane/layout.ts";

/** One read(2) takes at most this much; about what stays in a second-level cache. */
export const READ_BYTES = 256 * 1024;

const NEWLINE = 10;

/** What the landing area must hold: an unfinished longest line, where it is and where it
 * is moved to, and one read. */
export function landingBytesFor(maxLineBytes: number): number {
  return 2 * (maxLineBytes + 1) + READ_BYTES;
}

/**
 * What has landed from one input and is not in its ring yet. The landing area holds
 *
 *      [pushed | whole lines | unfinished line | free]
 *
 * and what is left moves to the beginning when it no longer overlaps with where it was,
 * so that a crash in the middle of that tears nothing. Where what is lives in words of
 * the lane, for whoever comes after this process. All `from` and `to` are offsets in the
 * area. Reader thread only.
 */
export class Landing {
  /** All of the area. */
  readonly bytes: Uint8Array;
  readonly #lane: Lane;
  readonly #kernels: Kernels;
  readonly #words: DataView;
  readonly #expected: ExpectedLanding | undefined;
  #start: number;
  #whole: number;
  #filled: number;
  /** Where the newlines end that were counted, and how many whole lines they make. */
  #counted: number;
  #countedLines: number;
  #inside: boolean;
  /** Number in the stream of the byte at the beginning of the area. */
  #fromByte: number;
  #oldestMicros: number;
  #oldestMs: number;
  #newestMicros: number;
  #newestMs: number;

  /** Begins with what an earlier run has left there, if it has left anything. */
  constructor(lane: Lane) {
    this.#lane = lane;
    this.#kernels = kernels(lane.memory);
    const { buffer } = lane.memory;
    this.bytes = new Uint8Array(buffer, lane.landingAt, lane.landingBytes);
    this.#words = new DataView(buffer, lane.at);
    this.#expected = lane.kept ? new ExpectedLanding(lane) : undefined;
    const word = (at: number) => this.#words.getFloat64(at, true);
    const { load } = this.#kernels;
    this.#fromByte = load(lane.at + LANDING_FROM);
    this.#start = load(lane.at + NEXT_BYTE) - this.#fromByte;
    this.#filled = load(lane.at + LANDING_END) - this.#fromByte;
    this.#whole = this.lastNewline(this.#start, this.#filled) + 1 || this.#start;
    this.#counted = this.#whole;
    this.#countedLines = this.#countLines(this.#start, this.#whole);
    this.#inside = word(LANDING_INSIDE) === 1;
    this.#oldestMicros = this.#newestMicros = word(LANDING_TIME);
    this.#oldestMs = this.#newestMs = performance.now();
  }

  /** Where the whole lines begin. */
  get start(): number {
    return this.#start;
  }

  /** Where the whole lines end, and an unfinished one begins. */
  get whole(): number {
    return this.#whole;
  }

  /** Where the next bytes land. */
  get filled(): number {
    return this.#filled;
  }

  get freeBytes(): number {
    return this.#lane.landingBytes - this.#filled;
  }

  get hasWhole(): boolean {
    return this.#whole > this.#start;
  }

  get hasAny(): boolean {
    return this.#filled > this.#start;
  }

  /** What is here begins inside a line whose first pieces were pushed. */
  get inside(): boolean {
    return this.#inside;
  }

  set inside(inside: boolean) {
    if (inside === this.#inside) return;
    this.#inside = inside;
    this.#words.setFloat64(LANDING_INSIDE, inside ? 1 : 0, true);
  }

  /** When the oldest byte here came, in microseconds since 1970. */
  get oldestMicros(): number {
    return this.#oldestMicros;
  }

  /** Since when it waits, monotonic: later where nothing was read for a time. */
  get oldestMs(): number {
    return this.#oldestMs;
  }

  set oldestMs(nowMs: number) {
    this.#oldestMs = nowMs;
  }

  /** When the newest byte came, monotonic. */
  get newestMs(): number {
    return this.#newestMs;
  }

  /**
   * A read is about to put up to `bytes` bytes here: if this process is killed before it
   * says so itself, it can be seen how many have come.
   */
  expect(bytes: number): void {
    this.#expected?.expect(this.#filled, bytes);
  }

  /**
   * So many bytes have landed.
   *
   * @param nowMicros time of day
   * @param nowMs monotonic
   */
  add(bytes: number, nowMicros: number, nowMs: number): void {
    this.#newestMicros = nowMicros;
    this.#newestMs = nowMs;
    if (!this.hasAny) {
      this.#oldestMicros = nowMicros;
      this.#oldestMs = nowMs;
    }
    const before = this.#filled;
    if (bytes < 0 || bytes > this.freeBytes) {
      throw new Error(`${bytes} bytes have landed where ${this.freeBytes} had room`);
    }
    this.#filled += bytes;
    this.#words.setFloat64(LANDING_TIME, this.#oldestMicros, true);
    this.#kernels.store(this.#lane.at + LANDING_END, this.#fromByte + this.#filled);
    const newline = this.lastNewline(before, this.#filled);
    if (newline >= 0) this.#whole = newline + 1;
  }

  /**
   * Counts the lines before `to` that were not counted yet, and returns how many they are.
   * Nothing is counted twice, and best not before it is copied: then the processor has it
   * at hand for both.
   */
  count(to: number): number {
    if (to <= this.#counted) return 0;
    const lines = this.#countLines(this.#counted, to);
    this.#counted = to;
    this.#countedLines += lines;
    return lines;
  }

  /** Offset of the last newline between the two, or -1. */
  lastNewline(from: number, to: number): number {
    for (let at = to - 1; at >= from; at--) {
      if (this.bytes[at] === NEWLINE) return at;
    }
    return -1;
  }

  /** True where the bytes before `to` do not end with a newline. */
  endsInside(to: number): boolean {
    return this.bytes[to - 1] !== NEWLINE;
  }

  /** Where the line ends that goes on at `from`, its newline included; 0: not here. */
  lineEnd(from: number): number {
    return this.bytes.indexOf(NEWLINE, from) + 1;
  }

  /**
   * Of the lines that were counted, `from` being where the first of them begins, those
   * before `to`.
   */
  linesUpTo(to: number, from: number): number {
    return to === this.#counted ? this.#countedLines : this.#countLines(from, to);
  }

  #countLines(from: number, to: number): number {
    return this.#kernels.countNewlines(this.#lane.landingAt + from, to - from);
  }

  /** So many whole lines were pushed; what comes after them follows with `consumeTo`. */
  forgetLines(lines: number): void {
    this.#countedLines -= lines;
  }

  /** What comes before `to` was pushed. */
  consumeTo(to: number): void {
    if (to === this.#start) return;
    this.#start = to;
    this.#whole = Math.max(to, this.#whole);
    this.#counted = Math.max(to, this.#counted);
    this.#oldestMs = this.#newestMs;
    this.#oldestMicros = this.#newestMicros;
    const rest = this.#filled - to;
    // Also the byte before what is left stays where it is: see `LeftLane`.
    if (rest >= to) return;
    const { at, landingAt } = this.#lane;
    this.#expected?.forget();
    if (rest > 0) this.#kernels.copy(landingAt, landingAt + to, rest);
    this.#start = 0;
    this.#filled = rest;
    this.#whole -= to;
    this.#counted -= to;
    this.#fromByte += to;
    // One store, and last: until then what was moved is where it was as well.
    this.#kernels.store(at + LANDING_FROM, this.#fromByte);
  }
}
