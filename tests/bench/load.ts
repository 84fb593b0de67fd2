/**
 * The load generator, a thread of the bench: writes a prepared buffer with
 * write(2) and notes when each write returned and how long it took. Beside the
 * system call a write costs it one reading of the clock, so that it is never
 * what limits the program it writes to.
 */

import { isMainThread, parentPort, workerData } from "node:worker_threads";
import { napMicros, wallClockMicros } from "../../src/system/clock.ts";
import { close, O_WRONLY, open, write } from "../../src/system/descriptors.ts";
import { describeError } from "../../src/system/errno.ts";
import { addressOf } from "../../src/system/memory.ts";
import { readableBytes } from "../../src/system/pipes.ts";

export interface LoadOrder {
  /** FIFOs, written in turns. */
  readonly paths: readonly string[];
  readonly writeBytes: number;
  /** Length of every line, with its newline. */
  readonly lineBytes: number;
  /** Written before the clock starts, while compilers are at work; nothing unless said. */
  readonly warmUpBytes?: number | undefined;
  /** Ends after so many bytes, and the rest of the line, */
  readonly totalBytes: number;
  /** or after so long, likewise. */
  readonly seconds: number;
  /** Undefined: as fast as the bytes are taken. */
  readonly bytesPerSecond?: number | undefined;
  /** At a given rate, what is due is written every so often. */
  readonly burstMs?: number | undefined;
}

export interface Load {
  readonly bytes: number;
  /** Of these, what was not written to warm up. */
  readonly measuredBytes: number;
  readonly lines: number;
  /** The clock starts when the program has read the first write, and is warm. */
  readonly startMicros: number;
  /** When each write returned, in microseconds after the start. */
  readonly writeEnds: Float64Array;
  /** How many bytes it took. */
  readonly writeSizes: Uint32Array;
  /** How long it lasted, in microseconds. */
  readonly writeMicros: Float32Array;
}

/** What the thread says: `STARTED` when the clock starts, and then one message more. */
export type LoadMessage = { readonly load: Load } | { readonly failure: string };
export const STARTED = "started";

/** How many writes can be noted; far more than any order makes. */
const MAX_WRITES = 4 * 1024 * 1024;
const NAP_MICROS = 100;
const READY_SECONDS = 20;

interface Thread {
  readonly order: LoadOrder;
  /** Word 0 becomes 1 when the pipes may be closed. */
  readonly control: SharedArrayBuffer;
}

/** As services write it: words, numbers, a few quotes. */
const TEXT = 'level=info msg="request served" path=/api/v1/items status=200 ms=12 ';

/**
 * Lines that are all the same, and so a buffer little longer than one write: what
 * a program writes is hot in its cache too.
 */
function repeatedLine(lineBytes: number, length: number): Uint8Array {
  const line = TEXT.repeat(Math.ceil(lineBytes / TEXT.length)).slice(0, lineBytes - 1);
  return new TextEncoder().encode(
    `${line}\n`.repeat(Math.ceil(length / lineBytes)).slice(0, length),
  );
}

class Generator {
  readonly #order: LoadOrder;
  readonly #pipes: readonly number[];
  /** What each pipe has got. */
  readonly #written: Float64Array;
  readonly #address: number;
  /** Kept, so that the address stays good. */
  readonly #bytes: Uint8Array;
  readonly #ends: Float64Array;
  readonly #sizes: Uint32Array;
  readonly #micros: Float32Array;
  #writes = 0;
  #total = 0;
  #warmUpBytes = 0;

  constructor(order: LoadOrder) {
    this.#order = order;
    this.#bytes = repeatedLine(order.lineBytes, order.writeBytes + order.lineBytes);
    this.#address = addressOf(this.#bytes);
    const writes = Math.min(MAX_WRITES, Math.ceil(order.totalBytes / order.writeBytes));
    this.#ends = new Float64Array(writes);
    this.#sizes = new Uint32Array(writes);
    this.#micros = new Float32Array(writes);
    this.#written = new Float64Array(order.paths.length);
    this.#pipes = order.paths.map((path) => {
      const pipe = open(path, O_WRONLY);
      if (pipe < 0) throw new Error(`cannot open ${path}: ${describeError(-pipe)}`);
      return pipe;
    });
  }

  /** @param onStart the program has read the first write of every pipe, and is warm */
  run(onStart: () => void): Load {
    const { writeBytes, lineBytes, bytesPerSecond, burstMs = 1 } = this.#order;
    this.#pipes.forEach((_, at) => this.#write(at, writeBytes));
    this.#pipes.forEach(waitUntilRead);
    this.#warmUp();
    onStart();
    const startMicros = wallClockMicros();
    const startMs = performance.now();
    if (bytesPerSecond === undefined) this.#runFreely(startMs);
    else this.#runPaced(startMs, bytesPerSecond, burstMs);
    this.#pipes.forEach((_, at) => {
      const open = this.#written[at]! % lineBytes;
      if (open > 0) this.#write(at, lineBytes - open);
    });
    return {
      bytes: this.#total,
      measuredBytes: this.#total - this.#warmUpBytes,
      lines: this.#total / lineBytes,
      startMicros,
      writeEnds: this.#ends.slice(0, this.#writes),
      writeSizes: this.#sizes.slice(0, this.#writes),
      writeMicros: this.#micros.slice(0, this.#writes),
    };
  }

  close(): void {
    this.#pipes.forEach(close);
  }

  #warmUp(): void {
    const { warmUpBytes = 0, writeBytes } = this.#order;
    for (let at = 0; this.#warmUpBytes < warmUpBytes; at++) {
      this.#write(at % this.#pipes.length, writeBytes);
      this.#warmUpBytes += writeBytes;
    }
  }

  #runFreely(startMs: number): void {
    let now = startMs;
    while (!this.#isDone(now - startMs)) now = this.#timedWrite(startMs, now);
  }

  #runPaced(startMs: number, bytesPerSecond: number, burstMs: number): void {
    const first = this.#total;
    for (let burst = 1; !this.#isDone(performance.now() - startMs); burst++) {
      const due = first + burst * burstMs * bytesPerSecond / 1e3;
      let now = performance.now();
      while (this.#total < due && !this.#isDone(now - startMs)) {
        now = this.#timedWrite(startMs, now);
      }
      while (performance.now() < startMs + burst * burstMs) napMicros(NAP_MICROS);
    }
  }

  #isDone(elapsedMs: number): boolean {
    const { totalBytes, seconds } = this.#order;
    return this.#total - this.#warmUpBytes >= totalBytes || elapsedMs >= seconds * 1e3 ||
      this.#writes >= this.#ends.length;
  }

  #timedWrite(startMs: number, beforeMs: number): number {
    const { writeBytes } = this.#order;
    this.#write(this.#writes % this.#pipes.length, writeBytes);
    const now = performance.now();
    this.#ends[this.#writes] = (now - startMs) * 1e3;
    this.#sizes[this.#writes] = writeBytes;
    this.#micros[this.#writes] = (now - beforeMs) * 1e3;
    this.#writes++;
    return now;
  }

  /** Blocking pipes take all of it. */
  #write(pipe: number, length: number): void {
    const from = this.#written[pipe]! % this.#order.lineBytes;
    const count = write(this.#pipes[pipe]!, this.#address + from, length);
    if (count !== length) {
      throw new Error(`cannot write: ${count < 0 ? describeError(-count) : `${count}`}`);
    }
    this.#written[pipe]! += count;
    this.#total += count;
  }
}

/** The program has started when it has read something. */
function waitUntilRead(pipe: number): void {
  const deadline = performance.now() + READY_SECONDS * 1e3;
  while (readableBytes(pipe) > 0) {
    if (performance.now() > deadline) throw new Error("nobody reads the pipe");
    napMicros(NAP_MICROS);
  }
}

function main({ order, control }: Thread): void {
  const say = (message: LoadMessage) => parentPort!.postMessage(message);
  try {
    const generator = new Generator(order);
    say({ load: generator.run(() => parentPort!.postMessage(STARTED)) });
    Atomics.wait(new Int32Array(control), 0, 0);
    generator.close();
  } catch (error) {
    say({ failure: error instanceof Error ? error.message : `${error}` });
  }
}

if (!isMainThread) main(workerData as Thread);
