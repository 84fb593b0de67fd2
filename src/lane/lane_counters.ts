import { type Kernels, kernels } from "../kernels/kernels.ts";
import {
  BUFFERED,
  type Counter,
  type CounterName,
  COUNTERS,
  type Counts,
} from "./counters.ts";
import type { Lane } from "./lane.ts";
import { OUTLET_COUNTERS, READER_COUNTERS, WORD } from "./layout.ts";

/**
 * By how many bytes a ring was too small, since the start. A burst begins when
 * the ring is empty, so what was lost in one is what a larger ring would still
 * have held at the worst moment.
 */
export interface Shortfall {
  readonly totalBytes: number;
  /** The part of it that belongs to bursts that are over. */
  readonly beforeBurstBytes: number;
}

/** Where a counter's lines are, after its end's other words; its bytes come next. */
const WORDS = Object.fromEntries(
  COUNTERS.map(({ name, by }, index) => {
    const counters = by === "outlet" ? OUTLET_COUNTERS : READER_COUNTERS;
    return [name, counters + 2 * index * WORD];
  }),
) as Record<CounterName, number>;

/** The last words of the reader's counters, and of the outlet's. */
const LAST = 31;
const LINE_OPEN = READER_COUNTERS + LAST * WORD;
const SHORTFALL = READER_COUNTERS + (LAST - 1) * WORD;
const SHORTFALL_BEFORE_BURST = READER_COUNTERS + (LAST - 2) * WORD;
const LINES_DISCARDED = OUTLET_COUNTERS + (LAST - 1) * WORD;

/**
 * What has become of one input, as the two ends of its lane count it. Each word is
 * written by one thread only. Any thread may read a word at any time and sees a value
 * that was true a moment ago; two words are not of the same moment, but no sum of parts
 * ever exceeds what came in before it.
 */
export class LaneCounters {
  readonly #words: Kernels;
  readonly #exact: BigInt64Array;
  readonly #at: number;

  constructor({ memory, at }: Pick<Lane, "memory" | "at">) {
    this.#words = kernels(memory);
    this.#exact = new BigInt64Array(memory.buffer);
    this.#at = at;
  }

  /** Reader: bytes that were read, and lines that ended in them. */
  addIn(bytes: number, lines: number, lineOpen: boolean): void {
    this.add("in", bytes, lines);
    this.#words.store(this.#at + LINE_OPEN, lineOpen ? 1 : 0);
  }

  /** Before anybody reads: an unfinished line of an earlier run is to be gone on with. */
  openLine(): void {
    this.#words.store(this.#at + LINE_OPEN, 1);
  }

  /** Who counts it, and no other. The lines of `in` go with `addIn`. */
  add(name: CounterName, bytes: number, lines: number): void {
    if (bytes < 0 || lines < 0) throw new Error(`the count of "${name}" would shrink`);
    const word = this.#at + WORDS[name];
    if (lines > 0) this.#words.add(word, lines);
    if (bytes > 0) this.#words.add(word + WORD, bytes);
  }

  /** Reader: by how much the ring was too small for what was lost, since the start. */
  setShortfall(bytes: number): void {
    this.#words.store(this.#at + SHORTFALL, bytes);
  }

  /** Reader: the ring has been empty; what it lacked until then was another burst's. */
  beginBurst(shortfallBytes: number): void {
    this.#words.store(this.#at + SHORTFALL_BEFORE_BURST, shortfallBytes);
  }

  /** Any thread. */
  get shortfall(): Shortfall {
    const beforeBurstBytes = this.#words.load(this.#at + SHORTFALL_BEFORE_BURST);
    return { totalBytes: this.#words.load(this.#at + SHORTFALL), beforeBurstBytes };
  }

  /** Any thread: it is known of everything what has become of it. */
  get settled(): boolean {
    const counts = this.read(false);
    return counts[BUFFERED.bytes] === 0n && counts[BUFFERED.lines] === 0n;
  }

  /** What the output has taken, for measuring speeds: exact up to 2^53. */
  get bytesOut(): number {
    return this.#words.load(this.#at + WORDS.out + WORD);
  }

  /** Outlet: pieces given up because the beginning of their line was lost. */
  setDiscarded(bytes: number, lines: number): void {
    this.#words.store(this.#at + LINES_DISCARDED, lines);
    this.#words.store(this.#at + LINES_DISCARDED + WORD, bytes);
  }

  /** Before anybody reads: what is missing of an earlier run, beyond 32 bits if need be. */
  setDamaged(bytes: number, lines: number): void {
    this.#words.store(this.#at + WORDS.damaged, lines);
    this.#words.store(this.#at + WORDS.damaged + WORD, bytes);
  }

  /** Any thread. `dropNewest` says which kind of loss discarded pieces belong to. */
  read(dropNewest: boolean): Counts {
    const counts: Partial<Counts> = {};
    // What leaves is read before what comes in, so that the rest is never negative.
    const discardedLines = this.#load(LINES_DISCARDED);
    const discardedBytes = this.#load(LINES_DISCARDED + WORD);
    const discardedAs = dropNewest ? "dropped" : "overwritten";
    let [lines, bytes] = [0n, 0n];
    for (const counter of OUTLET_FIRST) {
      const word = WORDS[counter.name];
      const discarded = counter.name === discardedAs;
      const counterLines = this.#load(word) + (discarded ? discardedLines : 0n);
      const counterBytes = this.#load(word + WORD) + (discarded ? discardedBytes : 0n);
      counts[counter.lines] = counterLines;
      counts[counter.bytes] = counterBytes;
      if ("enters" in counter) {
        lines += counterLines;
        bytes += counterBytes;
      } else if (!("outside" in counter)) {
        lines -= counterLines;
        bytes -= counterBytes;
      }
    }
    // The last line of an input may end without a newline.
    const lineOpen = this.#load(LINE_OPEN);
    counts.linesIn! += lineOpen;
    counts[BUFFERED.lines] = lines + lineOpen;
    counts[BUFFERED.bytes] = bytes;
    return counts as Counts;
  }

  /** All 64 bits. */
  #load(word: number): bigint {
    return Atomics.load(this.#exact, (this.#at + word) / WORD);
  }
}

/** What enters is read last. */
const OUTLET_FIRST: readonly Counter[] = [...COUNTERS].sort((one, other) =>
  Number("enters" in one) - Number("enters" in other)
);
