/** A ring with its two sides in one thread, and what goes in and comes out as arrays. */

import { kernels } from "../../src/kernels/kernels.ts";
import { HEAD, TAIL } from "../../src/lane/layout.ts";
import { RingConsumer } from "../../src/lane/ring_consumer.ts";
import { type Lane, MIN_CAPACITY } from "../../src/lane/lane.ts";
import { laneOf } from "./small_lane.ts";
import {
  type FullPolicy,
  type Pushed,
  type RingAtomics,
  RingProducer,
} from "../../src/lane/ring_producer.ts";

/** What a batch said, kept. */
export interface Taken {
  readonly bytes: Uint8Array;
  readonly lines: number;
  readonly frameEnds: readonly number[];
  readonly frameTimes: readonly number[];
  readonly startsInside: boolean;
  readonly end: boolean;
  readonly gapLines: number;
  readonly gapBytes: number;
  readonly gapFrom: number;
  readonly gapTo: number;
}

export interface RingSettings {
  readonly capacityBytes?: number;
  readonly policy?: FullPolicy;
  readonly landingBytes?: number;
  readonly handBytes?: number;
  /** Where head and tail begin, in units of 8 bytes. */
  readonly position?: number;
  readonly startTime?: number;
  /** What the consumer gets instead of the real accesses. */
  readonly consumerAtomics?: (real: RingAtomics) => RingAtomics;
  readonly producerAtomics?: (real: RingAtomics) => RingAtomics;
}

/** Larger than a whole ring of the smallest capacity. */
const ROOMY_BYTES = 128 * 1024;

export class RingPair {
  readonly ring: Lane;
  readonly atomics: RingAtomics;
  readonly producer: RingProducer;
  readonly consumer: RingConsumer;
  readonly #memory: Uint8Array;

  constructor(settings: RingSettings = {}) {
    const { capacityBytes = MIN_CAPACITY, policy = "overwrite", position = 0 } = settings;
    const { landingBytes = ROOMY_BYTES, handBytes = ROOMY_BYTES } = settings;
    const same = (atomics: RingAtomics) => atomics;
    const { producerAtomics = same, consumerAtomics = same } = settings;
    this.ring = laneOf(capacityBytes, landingBytes, handBytes);
    this.atomics = kernels(this.ring.memory);
    this.#memory = new Uint8Array(this.ring.memory.buffer);
    this.atomics.store(TAIL, position);
    this.atomics.store(HEAD, position);
    this.producer = new RingProducer(this.ring, policy, producerAtomics(this.atomics));
    this.consumer = new RingConsumer(
      this.ring,
      settings.startTime ?? 0,
      consumerAtomics(this.atomics),
    );
  }

  /** Pushes a copy of `payload`; says what became of it. */
  push(payload: Uint8Array, lines: number, flags = 0, time = 0): Pushed {
    const { landingAt } = this.ring;
    this.#memory.set(payload, landingAt);
    return { ...this.producer.push(landingAt, payload.length, lines, flags, time) };
  }

  /** Pushes a text as whole lines. */
  pushText(text: string, time = 0): Pushed {
    return this.push(encode(text), text.split("\n").length - 1, 0, time);
  }

  pop(): Taken | undefined {
    return this.drain(1);
  }

  drain(maxFrames?: number, untilTime?: number): Taken | undefined {
    const batch = this.consumer.drain(maxFrames, untilTime);
    if (batch === undefined) return undefined;
    const { handAt } = this.ring;
    return {
      bytes: this.#memory.slice(handAt, handAt + batch.bytes),
      lines: batch.lines,
      frameEnds: [...batch.frameEnds.subarray(0, batch.frames)],
      frameTimes: [...batch.frameTimes.subarray(0, batch.frames)],
      startsInside: batch.startsInside,
      end: batch.end,
      gapLines: batch.gapLines,
      gapBytes: batch.gapBytes,
      gapFrom: batch.gapFrom,
      gapTo: batch.gapTo,
    };
  }

  /** All that is in the ring at this moment. */
  drainAll(): Taken[] {
    const all: Taken[] = [];
    for (let taken = this.drain(); taken !== undefined; taken = this.drain()) {
      all.push(taken);
    }
    return all;
  }
}

export function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** The bytes of all batches, each byte as one character, for readable failures. */
export function textOf(...taken: readonly (Taken | undefined)[]): string {
  let text = "";
  for (const batch of taken) {
    for (const byte of batch?.bytes ?? []) text += String.fromCharCode(byte);
  }
  return text;
}
