/** The reader behind a program, a thread of the bench: greedy, frozen, or slow by plan. */

import { isMainThread, parentPort, workerData } from "node:worker_threads";
import {
  addressOf,
  close,
  describeError,
  napMicros,
  O_RDONLY,
  open,
  POLLIN,
  PollSet,
  read,
  wallClockMicros,
} from "../../src/platform/posix.ts";

/** Once in every period: takes at most so many bytes while the window is open. */
export interface Windows {
  readonly periodMs: number;
  readonly openMs: number;
  /** Infinity: all it can get. */
  readonly wantBytes: number;
}

export type SinkPlan = "greedy" | "frozen" | Windows;

/** A window as it really was, in microseconds since 1970. */
export interface Window {
  readonly openMicros: number;
  readonly closeMicros: number;
  readonly wantBytes: number;
}

export interface Taken {
  readonly bytes: number;
  readonly lastMicros: number;
  readonly windows: readonly Window[];
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
const MAX_WAIT_MS = 50;

class Sink {
  readonly #descriptor: number;
  readonly #control: Int32Array;
  readonly #buffer = new Uint8Array(READ_BYTES);
  readonly #poll = new PollSet(1);
  #bytes = 0;
  #lastMicros = 0;
  #ended = false;

  constructor(path: string, control: SharedArrayBuffer) {
    this.#descriptor = open(path, O_RDONLY);
    if (this.#descriptor < 0) {
      throw new Error(`cannot open ${path}: ${describeError(-this.#descriptor)}`);
    }
    this.#control = new Int32Array(control);
    this.#poll.watch(0, this.#descriptor, POLLIN);
  }

  run(plan: SinkPlan): Taken {
    let windows: Window[] = [];
    if (plan === "frozen") Atomics.wait(this.#control, 0, 0);
    else {
      if (plan !== "greedy") windows = this.#runWindows(plan);
      while (!this.#ended) this.#read(READ_BYTES);
    }
    close(this.#descriptor);
    return { bytes: this.#bytes, lastMicros: this.#lastMicros, windows };
  }

  #runWindows({ periodMs, openMs, wantBytes }: Windows): Window[] {
    const windows: Window[] = [];
    const startMs = performance.now();
    for (let period = 0; !this.#writerIsDone && !this.#ended; period++) {
      const openAt = startMs + period * periodMs;
      while (performance.now() < openAt && !this.#writerIsDone) napMicros(200);
      const openMicros = wallClockMicros();
      this.#readUntil(openAt + openMs, wantBytes);
      windows.push({ openMicros, closeMicros: wallClockMicros(), wantBytes });
    }
    return windows;
  }

  #readUntil(closeAt: number, wantBytes: number): void {
    const wanted = this.#bytes + wantBytes;
    while (this.#bytes < wanted && !this.#ended && !this.#writerIsDone) {
      const leftMs = closeAt - performance.now();
      if (leftMs <= 0) return;
      this.#poll.wait(Math.min(MAX_WAIT_MS, Math.ceil(leftMs)));
      if (this.#poll.ready(0) !== 0) {
        this.#read(Math.min(READ_BYTES, wanted - this.#bytes));
      }
    }
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
