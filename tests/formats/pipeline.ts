import type {
  Format,
  Gap,
  Outgoing,
  Progress,
  Stream,
} from "../../src/formats/format.ts";
import { outputBytesFor } from "../../src/formats/formats.ts";
import { kernels } from "../../src/kernels/kernels.ts";
import { addressOfMemory } from "../../src/system/memory.ts";
import { ENDS_INSIDE, STARTS_INSIDE } from "../../src/lane/layout.ts";
import type { Batch } from "../../src/lane/batch.ts";
import { RingConsumer } from "../../src/lane/ring_consumer.ts";
import { laneOf } from "../lane/small_lane.ts";
import { RingProducer } from "../../src/lane/ring_producer.ts";

/** When the input of every test starts to come in, in microseconds since 1970. */
export const START_TIME = Date.UTC(2026, 10, 22, 10, 0, 0) * 1000;

/** As a run names itself. */
export const RUN = "0dfb11ac-2bd5-4a3c-8f2e-2f2c1c1d0a42";

const DEFAULT_MAX_LINE_BYTES = 64 * 1024;
const LANDING_BYTES = 1024 * 1024;
const HAND_BYTES = 1024 * 1024;

/** One input: bytes go through a real ring, frame by frame, and come out as batches. */
export class TestInput {
  readonly stream: Stream;
  readonly #landingAt: number;
  readonly #producer: RingProducer;
  readonly #consumer: RingConsumer;
  #inside = false;

  /** @param maxLineBytes the largest that a format will be used with */
  constructor(
    label: string,
    capacityBytes = 4 * 1024 * 1024,
    maxLineBytes = DEFAULT_MAX_LINE_BYTES,
  ) {
    const ring = laneOf(
      capacityBytes,
      LANDING_BYTES,
      HAND_BYTES,
      outputBytesFor("json-file", maxLineBytes),
    );
    this.#landingAt = ring.landingAt;
    this.#producer = new RingProducer(ring, "overwrite");
    this.#consumer = new RingConsumer(ring, START_TIME);
    this.stream = {
      label,
      run: RUN,
      memory: new Uint8Array(ring.memory.buffer),
      kernels: kernels(ring.memory),
      handAt: ring.handAt,
      outputAt: ring.outputAt,
      address: addressOfMemory(ring.memory),
    };
  }

  /** One frame: whole lines, or a piece of one. */
  push(bytes: Uint8Array, time = START_TIME): void {
    this.stream.memory.set(bytes, this.#landingAt);
    const lines = bytes.filter((byte) => byte === 10).length;
    const unfinished = bytes.length > 0 ? bytes.at(-1) !== 10 : this.#inside;
    const flags = (this.#inside ? STARTS_INSIDE : 0) | (unfinished ? ENDS_INSIDE : 0);
    this.#producer.push(this.#landingAt, bytes.length, lines, flags, time);
    this.#inside = unfinished;
  }

  close(time = START_TIME): void {
    this.#producer.close(this.#inside ? 1 : 0, this.#inside ? STARTS_INSIDE : 0, time);
  }

  drain(maxFrames?: number): Batch | undefined {
    return this.#consumer.drain(maxFrames);
  }
}

/** A piece, taken out of the memory that the format will use again. */
export interface Taken {
  readonly bytes: Uint8Array;
  readonly recordEnds: readonly number[];
  readonly startsInside: boolean;
  readonly endsInside: boolean;
  /** What `progress` says at each record's end, and one byte before it. */
  readonly progress: readonly Progress[];
  readonly progressBefore: readonly Progress[];
  /** What it says of the whole piece. */
  readonly total: Progress;
}

export function take(piece: Outgoing): Taken {
  const recordEnds: number[] = [];
  for (let at = 0; at < piece.length;) {
    at = piece.recordEnd(at);
    recordEnds.push(at);
  }
  return {
    bytes: piece.bytes.slice(),
    recordEnds,
    startsInside: piece.startsInside,
    endsInside: piece.endsInside,
    progress: recordEnds.map((end) => ({ ...piece.progress(end) })),
    progressBefore: recordEnds.map((end) => ({ ...piece.progress(end - 1) })),
    total: { ...piece.progress(piece.length) },
  };
}

/** Everything that the format makes of what is in the ring. */
export function flush(
  format: Format,
  input: TestInput,
  { markers = true, maxFrames }: { markers?: boolean; maxFrames?: number } = {},
): Taken[] {
  const taken: Taken[] = [];
  for (;;) {
    const batch = input.drain(maxFrames);
    if (batch === undefined) return taken;
    if (batch.gapBytes > 0 && markers) {
      taken.push(take(format.marker(gapOf(batch), input.stream)));
    }
    format.begin(batch, input.stream);
    for (let piece = format.next(); piece !== undefined; piece = format.next()) {
      taken.push(take(piece));
    }
    if (batch.end) return taken;
  }
}

function gapOf(batch: Batch): Gap {
  return {
    reason: "overwritten",
    lines: batch.gapLines,
    bytes: batch.gapBytes,
    from: batch.gapFrom,
    to: batch.gapTo,
    nextLine: batch.firstLine,
    nextByte: batch.firstByte,
  };
}

export function joined(taken: readonly Taken[]): Uint8Array {
  const all = new Uint8Array(taken.reduce((sum, { bytes }) => sum + bytes.length, 0));
  let at = 0;
  for (const { bytes } of taken) {
    all.set(bytes, at);
    at += bytes.length;
  }
  return all;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function bytesOf(text: string): Uint8Array {
  return encoder.encode(text);
}

export function textOf(taken: readonly Taken[]): string {
  return decoder.decode(joined(taken));
}

/** Pushes `line` until nothing else is left in a ring of this capacity. */
export function overwriteAll(
  input: TestInput,
  capacityBytes: number,
  line: Uint8Array,
): void {
  for (let pushed = 0; pushed < 2 * capacityBytes; pushed += line.length) {
    input.push(line);
  }
}
