/** Words of a lane that was left in which a bit has another value than it had. */

import { AssertionError } from "@std/assert";
import { landingBytesFor } from "../../src/input/landing.ts";
import { LineFramer } from "../../src/input/line_framer.ts";
import { allocateLane, type Lane, MIN_CAPACITY } from "../../src/lane/lane.ts";
import { LaneCounters } from "../../src/lane/lane_counters.ts";
import {
  HAND,
  HAND_FRAME_TIMES,
  HEAD,
  LANDING_END,
  LANDING_FROM,
  LANDING_GOAL,
  LANDING_TIME,
  NEXT_BYTE,
  NEXT_LINE,
  PLACE_BYTE,
  PLACE_GAP_BYTES,
  PLACE_GAP_LINES,
  PLACE_LINE,
  PLACE_TIME,
  ROOM,
  TAIL,
  WORD,
  WORDS_BYTES,
} from "../../src/lane/layout.ts";
import { DamagedLaneError } from "../../src/lane/damaged_lane.ts";
import { RingProducer } from "../../src/lane/ring_producer.ts";
import { FakeSink } from "../output/fake_sink.ts";
import { keptOutlet, recover } from "./recovered_lane.ts";

const MAX_LINE_BYTES = 1000;
const BITS = 64;
const HAND_WORDS = 48;
const WORDS = {
  ...{ TAIL, HEAD, ROOM, NEXT_LINE, NEXT_BYTE, LANDING_FROM, LANDING_END, LANDING_GOAL },
  ...{
    LANDING_TIME,
    PLACE_LINE,
    PLACE_BYTE,
    PLACE_TIME,
    PLACE_GAP_LINES,
    PLACE_GAP_BYTES,
  },
  ...{ HAND_FRAME_TIMES },
  ...Object.fromEntries(
    Array.from({ length: HAND_WORDS }, (_, index) => [
      `HAND + ${index} words`,
      HAND + index * WORD,
    ]),
  ),
};

/** A lane with something in its hand, in its ring, and in its landing area. */
function leave(): Lane {
  const lane = {
    ...allocateLane({
      capacityBytes: MIN_CAPACITY,
      landingBytes: landingBytesFor(MAX_LINE_BYTES),
      handBytes: 32 * 1024,
      outputBytes: 0,
    }),
    kept: true,
  };
  const producer = new RingProducer(lane, "overwrite");
  const counters = new LaneCounters(lane);
  const framer = new LineFramer(lane, producer, counters, MAX_LINE_BYTES, () => {});
  const outlet = keptOutlet(lane, new FakeSink({ answers: [100, 0, 0, 0] }));
  for (let round = 0; round < 3; round++) {
    const text = `${"line\n".repeat(100 * (round + 1))}unfinished`;
    const bytes = new TextEncoder().encode(text);
    framer.expect(bytes.length);
    new Uint8Array(lane.memory.buffer).set(bytes, framer.landAt);
    framer.landed(bytes.length, 1000, round);
    if (round === 0) outlet.step(round);
  }
  return lane;
}

Deno.test("a word that makes no sense is a damaged lane, or one that can be delivered", () => {
  const lane = leave();
  const bytes = new Uint8Array(lane.memory.buffer);
  const left = bytes.slice();
  const words = new DataView(lane.memory.buffer, lane.at, WORDS_BYTES);
  for (const [name, word] of Object.entries(WORDS)) {
    for (let bit = 0; bit < BITS; bit++) {
      bytes.set(left);
      words.setBigUint64(
        word,
        words.getBigUint64(word, true) ^ (1n << BigInt(bit)),
        true,
      );
      try {
        recover(lane, new FakeSink(), MAX_LINE_BYTES);
      } catch (error) {
        // What is counted then may be nonsense as well, but nothing fails.
        const isTold = error instanceof DamagedLaneError ||
          error instanceof AssertionError;
        if (!isTold) throw new Error(`${name}, bit ${bit}`, { cause: error });
      }
    }
  }
});
