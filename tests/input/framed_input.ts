/** One input from its framer to the other end of its ring, in one thread. */

import { landingBytesFor } from "../../src/input/landing.ts";
import { LineFramer } from "../../src/input/line_framer.ts";
import type { Counts } from "../../src/lane/counters.ts";
import type { LaneCounters } from "../../src/lane/lane_counters.ts";
import type { FullPolicy } from "../../src/lane/ring_producer.ts";
import { newCounters } from "../lane/small_lane.ts";
import { encode, RingPair, type RingSettings } from "../lane/ring_pair.ts";

export interface FramerSettings extends RingSettings {
  readonly maxLineBytes?: number;
}

/** The clock moves only when a test moves `nowMs`. */
export class FramedInput extends RingPair {
  readonly counters: LaneCounters = newCounters();
  readonly framer: LineFramer;
  readonly #policy: FullPolicy;
  /** How often the framer has said that lines were lost. */
  losses = 0;
  /** Is called when it says so, in the middle of a push. */
  onLoss = () => {};
  nowMs = 0;

  constructor(settings: FramerSettings = {}) {
    const { maxLineBytes = 1024, policy = "overwrite" } = settings;
    super({ landingBytes: landingBytesFor(maxLineBytes), ...settings });
    this.#policy = policy;
    this.framer = new LineFramer(
      this.ring,
      this.producer,
      this.counters,
      maxLineBytes,
      () => {
        this.losses++;
        this.onLoss();
      },
    );
  }

  get counts(): Counts {
    return this.counters.read(this.#policy === "drop-newest");
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
}
