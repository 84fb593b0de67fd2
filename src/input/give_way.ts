import { napMicros } from "../system/clock.ts";
import type { Board } from "../threads/board.ts";
import type { InputLoop } from "./input_loop.ts";

/** Far shorter than the writer needs to fill the kernel pipe. */
const BREATH_MICROS = 50;
/** How long one read may be put off: 260 MB/s, or what the kernel pipe holds. */
const PATIENCE_MS = 1;
/** Over how long the sink's speed is measured, and when a measurement is old. */
const WINDOW_MS = 20;
const STALE_MS = 1000;
/**
 * What a sink must take to be waited for: 200 MB/s. Disks, networks and log
 * drivers are slower, and what they cannot take is overwritten; what is faster is
 * a program on the same machine that shares the processors with us.
 */
const FAST_BYTES_PER_MS = 200_000;

/**
 * Lets the flusher have a processor. On a machine with more threads than
 * processors a flusher that has work, and a sink that is as fast as memory, may
 * yet not get to run for some milliseconds, and at that speed these are a whole
 * ring; no line should be lost for that. So the reader holds back a little while
 * the ring is more than half full and the sink fast. It never waits for a slow
 * sink: after 20 ms at the most it knows that it is one. Reader thread only.
 */
export class GiveWay {
  readonly #inputs: readonly InputLoop[];
  readonly #board: Board;
  #windowStartMs = -Infinity;
  #windowBytes = 0;
  #sinkIsFast = true;

  constructor(inputs: readonly InputLoop[], board: Board) {
    this.#inputs = inputs;
    this.#board = board;
  }

  /** To be called after every read. */
  afterRead(): void {
    if (!this.#crowded) return;
    const startMs = performance.now();
    this.#measure(startMs);
    if (!this.#sinkIsFast) return;
    do {
      napMicros(BREATH_MICROS);
    } while (this.#crowded && performance.now() - startMs < PATIENCE_MS);
  }

  #measure(nowMs: number): void {
    const elapsedMs = nowMs - this.#windowStartMs;
    if (elapsedMs < WINDOW_MS) return;
    let bytes = 0;
    for (let index = 0; index < this.#inputs.length; index++) {
      bytes += this.#board.input(index).bytesOut;
    }
    const taken = bytes - this.#windowBytes;
    this.#sinkIsFast = elapsedMs > STALE_MS || taken >= FAST_BYTES_PER_MS * elapsedMs;
    this.#windowStartMs = nowMs;
    this.#windowBytes = bytes;
  }

  get #crowded(): boolean {
    for (const input of this.#inputs) {
      if (!input.ended && input.framer.crowded) return true;
    }
    return false;
  }
}
