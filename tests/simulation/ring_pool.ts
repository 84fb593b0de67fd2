import { WORDS_BYTES } from "../../src/lane/layout.ts";
import { type Lane } from "../../src/lane/lane.ts";
import { laneOf } from "../lane/small_lane.ts";

const pool = new Map<string, Lane>();

/**
 * A ring as new, in memory that earlier runs have used: a million runs would be
 * busy with reserving it. @param owner two owners never get the same
 */
export function emptyRing(
  owner: number,
  ...sizes: Parameters<typeof laneOf>
): Lane {
  const key = [owner, ...sizes].join();
  let ring = pool.get(key);
  if (ring === undefined) {
    ring = laneOf(...sizes);
    pool.set(key, ring);
  }
  const memory = new Uint8Array(ring.memory.buffer);
  memory.fill(0, 0, WORDS_BYTES);
  // The same in every run, so that each can be run again.
  memory.fill(GARBAGE, ring.ringAt);
  return ring;
}

const GARBAGE = 0xa5;
