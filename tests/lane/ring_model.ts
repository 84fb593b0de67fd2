/**
 * What a ring does, as plainly as it can be said: a list of frames, and the sum
 * of their lengths. No memory, no offsets, no two threads.
 */

import {
  END,
  ENDS_INSIDE,
  frameLength,
  HEADER_BYTES,
  STARTS_INSIDE,
} from "../../src/lane/layout.ts";
import type { FullPolicy, Pushed } from "../../src/lane/ring_producer.ts";
import type { Taken } from "./ring_pair.ts";

interface Frame {
  readonly firstLine: number;
  readonly firstByte: number;
  readonly bytes: number;
  readonly lines: number;
  readonly flags: number;
  readonly time: number;
}

/** The input's byte at a place; no two stretches of it look the same. */
export function inputByte(place: number): number {
  return (Math.imul(place, 2654435761) >>> 13) & 0xff;
}

export function inputBytes(from: number, to: number): Uint8Array {
  return Uint8Array.from({ length: to - from }, (_, index) => inputByte(from + index));
}

export class RingModel {
  /** What the producer has been given so far. */
  linesIn = 0;
  bytesIn = 0;
  /** The input is in the middle of a line. */
  inside = false;
  overwrittenLines = 0;
  overwrittenBytes = 0;
  droppedLines = 0;
  droppedBytes = 0;
  discardedLines = 0;
  discardedBytes = 0;
  deliveredLines = 0;
  deliveredBytes = 0;
  readonly #frames: Frame[] = [];
  #nextLine = 0;
  #nextByte = 0;
  #lastTime: number;
  #gapLines = 0;
  #gapBytes = 0;

  constructor(
    readonly ringBytes: number,
    readonly handBytes: number,
    readonly policy: FullPolicy,
    startTime: number,
  ) {
    this.#lastTime = startTime;
  }

  /** Bytes that no frame uses. */
  get free(): number {
    let free = this.ringBytes;
    for (const { bytes } of this.#frames) free -= frameLength(bytes);
    return free;
  }

  get bufferedBytes(): number {
    return this.#frames.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  get bufferedLines(): number {
    return this.#frames.reduce((sum, { lines }) => sum + lines, 0);
  }

  /** The payload that would fill the ring to its last byte. */
  get fittingBytes(): number {
    return Math.max(0, this.free - 2 * HEADER_BYTES);
  }

  push(bytes: number, lines: number, endsInside: boolean, time: number): Pushed {
    const flags = (this.inside ? STARTS_INSIDE : 0) | (endsInside ? ENDS_INSIDE : 0);
    const frame = this.#frame(bytes, lines, flags, time);
    let [overwrittenLines, overwrittenBytes] = [0, 0];
    // One header's room always stays free.
    while (this.free < frameLength(bytes) + HEADER_BYTES) {
      if (this.policy === "block") {
        return { outcome: "full", overwrittenLines: 0, overwrittenBytes: 0 };
      }
      if (this.policy === "drop-newest") {
        this.#given(frame, endsInside);
        this.droppedLines += lines;
        this.droppedBytes += bytes;
        return { outcome: "dropped", overwrittenLines: 0, overwrittenBytes: 0 };
      }
      const oldest = this.#frames.shift()!;
      overwrittenLines += oldest.lines;
      overwrittenBytes += oldest.bytes;
    }
    this.#given(frame, endsInside);
    this.#frames.push(frame);
    this.overwrittenLines += overwrittenLines;
    this.overwrittenBytes += overwrittenBytes;
    return { outcome: "stored", overwrittenLines, overwrittenBytes };
  }

  /** The input ends; if inside a line, that line ends with it. */
  close(time: number): { lines: number; flags: number } {
    const lines = this.inside ? 1 : 0;
    const flags = this.inside ? STARTS_INSIDE : 0;
    const frame = this.#frame(0, lines, flags | END, time);
    this.#given(frame, false);
    this.#frames.push(frame);
    return { lines, flags };
  }

  drain(maxFrames: number, untilTime: number): Taken | undefined {
    const taken: Frame[] = [];
    let bytes = 0;
    let end: Frame | undefined;
    let gapTo = 0;
    while (taken.length < maxFrames && end === undefined) {
      const frame = this.#frames[0];
      if (frame === undefined) break;
      const missing = frame.firstByte - this.#nextByte;
      const fits = bytes + frame.bytes <= this.handBytes;
      if (taken.length > 0 && (missing > 0 || frame.time > untilTime || !fits)) break;
      this.#frames.shift();
      this.#gapBytes += missing;
      this.#gapLines += frame.firstLine - this.#nextLine;
      this.#nextByte = frame.firstByte + frame.bytes;
      this.#nextLine = frame.firstLine + frame.lines;
      if (taken.length === 0) gapTo = frame.time;
      if (frame.flags & END) end = frame;
      if (frame.flags & STARTS_INSIDE && this.#gapBytes > 0 && taken.length === 0) {
        this.#gapBytes += frame.bytes;
        this.#gapLines += frame.lines;
        this.discardedBytes += frame.bytes;
        this.discardedLines += frame.lines;
        continue;
      }
      taken.push(frame);
      bytes += frame.bytes;
    }
    if (taken.length === 0 && end === undefined) return undefined;
    return this.#deliver(taken, end !== undefined, gapTo);
  }

  #deliver(taken: readonly Frame[], end: boolean, gapTo: number): Taken {
    const gap = {
      gapLines: this.#gapLines,
      gapBytes: this.#gapBytes,
      gapFrom: this.#lastTime,
      gapTo,
    };
    this.#gapLines = this.#gapBytes = 0;
    const from = taken[0]?.firstByte ?? 0;
    const bytes = taken.reduce((sum, { bytes }) => sum + bytes, 0);
    const lines = taken.reduce((sum, { lines }) => sum + lines, 0);
    this.#lastTime = taken.at(-1)?.time ?? this.#lastTime;
    this.deliveredBytes += bytes;
    this.deliveredLines += lines;
    return {
      bytes: inputBytes(from, from + bytes),
      lines,
      frameEnds: taken.map((frame) => frame.firstByte + frame.bytes - from),
      frameTimes: taken.map(({ time }) => time),
      startsInside: ((taken[0]?.flags ?? STARTS_INSIDE) & STARTS_INSIDE) !== 0,
      end,
      ...gap,
    };
  }

  #frame(bytes: number, lines: number, flags: number, time: number): Frame {
    return {
      firstLine: this.linesIn,
      firstByte: this.bytesIn,
      bytes,
      lines,
      flags,
      time,
    };
  }

  #given({ bytes, lines }: Frame, endsInside: boolean): void {
    this.linesIn += lines;
    this.bytesIn += bytes;
    this.inside = endsInside;
  }
}
