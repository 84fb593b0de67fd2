/** The reader behind a program, a thread of the bench: greedy, frozen, or slow by plan. */

import { isMainThread, parentPort, workerData } from "node:worker_threads";
import { napMicros, wallClockMicros } from "../../src/system/clock.ts";
import { close, O_RDONLY, open, read } from "../../src/system/descriptors.ts";
import { describeError } from "../../src/system/errno.ts";
import { addressOf } from "../../src/system/memory.ts";
import { poll, POLLIN } from "../../src/system/poll.ts";

/** Once in every period: takes at most so many bytes while the window is open. */
export interface Windows {
  readonly periodMs: number;
  readonly openMs: number;
  /** Infinity: all it can get. */
  readonly wantBytes: number;
}

export type SinkPlan = "greedy" | "frozen" | Windows;

/** What was read when, as long as the writer wrote, in order of time. */
export interface SinkReads {
  /** Since 1970. */
  readonly micros: readonly number[];
  /** Or what it asked for and did not get for a while; Infinity: all there might be. */
  readonly bytes: readonly number[];
}

export interface Taken {
  readonly bytes: number;
  readonly lastMicros: number;
  /** Of a sink with windows; otherwise empty. */
  readonly reads: SinkReads;
}

export type SinkMessage = { readonly taken: Taken } | { readonly failure: string };

interface Thread {
  readonly path: string;
  readonly plan: SinkPlan;
  /**
   * Word 0 becomes 1 when the writer is done: what is frozen closes, and what is
   * slow takes the rest at once.
   */
  readonly control: SharedArrayBuffer;
}

const READ_BYTES = 1024 * 1024;
/** Where nothing comes for so long, a perfect ring would have been empty as well. */
const IN_VAIN_MS = 10;

class Sink {
  readonly #descriptor: number;
  readonly #control: Int32Array;
  readonly #buffer = new Uint8Array(READ_BYTES);
  readonly #reads = { micros: [] as number[], bytes: [] as number[] };
  #bytes = 0;
  #lastMicros = 0;
  #ended = false;

  constructor(path: string, control: SharedArrayBuffer) {
    this.#descriptor = open(path, O_RDONLY);
    if (this.#descriptor < 0) {
      throw new Error(`cannot open ${path}: ${describeError(-this.#descriptor)}`);
    }
    this.#control = new Int32Array(control);
  }

  run(plan: SinkPlan): Taken {
    if (plan === "frozen") Atomics.wait(this.#control, 0, 0);
    else {
      if (plan !== "greedy") this.#runWindows(plan);
      while (!this.#ended) this.#read(READ_BYTES);
    }
    close(this.#descriptor);
    return { bytes: this.#bytes, lastMicros: this.#lastMicros, reads: this.#reads };
  }

  #runWindows({ periodMs, openMs, wantBytes }: Windows): void {
    const startMs = performance.now();
    for (let period = 0; !this.#writerIsDone && !this.#ended; period++) {
      const openAt = startMs + period * periodMs;
      while (performance.now() < openAt && !this.#writerIsDone) napMicros(200);
      this.#readUntil(openAt + openMs, wantBytes);
    }
  }

  #readUntil(closeAt: number, wantBytes: number): void {
    const wanted = this.#bytes + wantBytes;
    // What was asked for in vain is noted as if it had come; then it cannot come twice.
    let noted = false;
    while (this.#bytes < wanted && !this.#ended && !this.#writerIsDone) {
      const leftMs = Math.ceil(closeAt - performance.now());
      if (leftMs <= 0) return;
      const events = poll(this.#descriptor, POLLIN, Math.min(IN_VAIN_MS, leftMs));
      const before = this.#bytes;
      if (events !== 0) {
        this.#read(Math.min(READ_BYTES, wanted - before));
        if (!noted) this.#note(this.#bytes - before);
      } else if (leftMs >= IN_VAIN_MS && !noted) {
        this.#note(wanted - before);
        noted = wantBytes !== Infinity;
      }
    }
  }

  #note(bytes: number): void {
    this.#reads.micros.push(wallClockMicros());
    this.#reads.bytes.push(bytes);
  }

  get #writerIsDone(): boolean {
    return Atomics.load(this.#control, 0) !== 0;
  }

  #read(length: number): void {
    const count = read(this.#descriptor, addressOf(this.#buffer), length);
    if (count < 0) throw new Error(`cannot read: ${describeError(-count)}`);
    if (count === 0) this.#ended = true;
    else this.#lastMicros = wallClockMicros();
    this.#bytes += count;
  }
}

function main({ path, plan, control }: Thread): void {
  const say = (message: SinkMessage) => parentPort!.postMessage(message);
  try {
    say({ taken: new Sink(path, control).run(plan) });
  } catch (error) {
    say({ failure: error instanceof Error ? error.message : `${error}` });
  }
}

if (!isMainThread) main(workerData as Thread);
