/** One input from its framer to the other end of its ring, in one thread. */

import { landingBytesFor, LineFramer } from "../../src/input/line_framer.ts";
import { Board, type Counts, type InputCounters } from "../../src/report/board.ts";
import { RingConsumer } from "../../src/ring/ring_consumer.ts";
import {
  allocateRingMemory,
  MIN_CAPACITY,
  type RingMemory,
} from "../../src/ring/ring_memory.ts";
import { type FullPolicy, RingProducer } from "../../src/ring/ring_producer.ts";

export const MICROS = 1_000_000;
const HAND_BYTES = 256 * 1024;

export interface Settings {
  readonly capacityBytes?: number;
  readonly maxLineBytes?: number;
  readonly policy?: FullPolicy;
}

/** What a batch said, kept. */
export interface Taken {
  readonly text: Uint8Array;
  readonly lines: number;
  readonly startsInside: boolean;
  readonly gapLines: number;
  readonly gapBytes: number;
  readonly end: boolean;
}

/** The clock stands still but for `nowMs`, which tests move. */
export class FramedInput {
  readonly ring: RingMemory;
  readonly counters: InputCounters;
  readonly producer: RingProducer;
  readonly consumer: RingConsumer;
  readonly framer: LineFramer;
  readonly policy: FullPolicy;
  losses = 0;
  nowMs = 0;

  constructor(
    { capacityBytes = MIN_CAPACITY, maxLineBytes = 1024, policy = "overwrite" }: Settings,
  ) {
    this.policy = policy;
    this.ring = allocateRingMemory(
      capacityBytes,
      landingBytesFor(maxLineBytes),
      HAND_BYTES,
    );
    this.counters = Board.create(1).input(0);
    this.producer = new RingProducer(this.ring, policy);
    this.consumer = new RingConsumer(this.ring, 0);
    this.framer = new LineFramer(
      this.ring,
      this.producer,
      this.counters,
      maxLineBytes,
      () => this.losses++,
    );
  }

  get counts(): Counts {
    return this.counters.read(this.policy === "drop-newest");
  }

  /** Lets bytes land as one read would, which must have room for them. */
  land(bytes: Uint8Array | string): void {
    const landing = typeof bytes === "string" ? encode(bytes) : bytes;
    if (landing.length > this.framer.room) throw new Error("more than one read takes");
    new Uint8Array(this.ring.memory.buffer).set(landing, this.framer.landAt);
    this.framer.landed(landing.length, this.nowMs * 1000, this.nowMs);
  }

  /** Moves the clock, and lets the framer do what is due. */
  passMs(ms: number): void {
    this.nowMs += ms;
    this.framer.tick(this.nowMs);
  }

  /** Ends the input as the reader does. */
  end(): void {
    this.framer.pushUnfinished();
    this.framer.close(this.nowMs * 1000);
  }

  /** One frame, or what follows a gap. */
  pop(): Taken | undefined {
    return this.#keep(1);
  }

  /** All that is in the ring at this moment. */
  drain(): Taken[] {
    const all: Taken[] = [];
    for (let taken = this.#keep(); taken !== undefined; taken = this.#keep()) {
      all.push(taken);
    }
    return all;
  }

  #keep(maxFrames?: number): Taken | undefined {
    const batch = this.consumer.drain(maxFrames);
    if (batch === undefined) return undefined;
    const { handAt } = this.ring;
    return {
      text: new Uint8Array(this.ring.memory.buffer).slice(handAt, handAt + batch.bytes),
      lines: batch.lines,
      startsInside: batch.startsInside,
      gapLines: batch.gapLines,
      gapBytes: batch.gapBytes,
      end: batch.end,
    };
  }
}

export function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** Bytes as a string in which every byte is one character, for readable failures. */
export function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

export function joined(taken: readonly Taken[]): string {
  return taken.map(({ text }) => latin1(text)).join("");
}
