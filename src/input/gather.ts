import { napMicros } from "../system/clock.ts";

/** What this needs to know of an input: see `InputLoop`. */
export interface GatheredInput {
  readonly bytesRead: number;
  readonly sparse: boolean;
}

/** Twice that in practice: Linux lets a timer be 50 µs late. */
const NAP_MICROS = 50;
/** Reads that follow each other so soon are those of a flood, with a nap or without. */
const FLOOD_MS = 0.25;

/**
 * Lets bytes gather in the kernel pipe while its writer makes many small writes. A
 * reader that is faster than its writer goes to sleep again after each of them,
 * and then it is the writer who pays: to wake a thread on another processor takes
 * several times as long as to put 4 KiB into a pipe. While this thread naps, nobody
 * has to wake it. A pipe fills far more slowly: see `InputLoop.sparse`. A line that
 * comes alone is not held up, as there was no read shortly before it. Reader thread
 * only.
 */
export class Gather {
  readonly #nap: (micros: number) => void;
  #lastMs = -Infinity;

  constructor(nap = napMicros) {
    this.#nap = nap;
  }

  /**
   * To be called after every round.
   *
   * @param inputs that were served in it
   * @param nowMs monotonic, when the wait for it was over
   */
  afterRead(inputs: readonly GatheredInput[], nowMs: number): void {
    const flood = nowMs - this.#lastMs < FLOOD_MS;
    this.#lastMs = nowMs;
    if (flood && isSparse(inputs)) this.#nap(NAP_MICROS);
  }
}

/** One pipe that fills fast is reason enough to go on at once. */
function isSparse(inputs: readonly GatheredInput[]): boolean {
  let read = false;
  for (const input of inputs) {
    if (input.bytesRead === 0) continue;
    if (!input.sparse) return false;
    read = true;
  }
  return read;
}
