import { CONTROL_BYTES } from "../../src/lane/layout.ts";
import { allocateRingMemory, type RingMemory } from "../../src/lane/ring_memory.ts";

const pool = new Map<string, RingMemory>();

/**
 * A ring as new, in memory that earlier runs have used: a million runs would be
 * busy with reserving it. @param owner two owners never get the same
 */
export function emptyRing(
  owner: number,
  ...sizes: Parameters<typeof allocateRingMemory>
): RingMemory {
  const key = [owner, ...sizes].join();
  let ring = pool.get(key);
  if (ring === undefined) {
    ring = allocateRingMemory(...sizes);
    pool.set(key, ring);
  }
  const memory = new Uint8Array(ring.memory.buffer);
  memory.fill(0, 0, CONTROL_BYTES);
  // The same in every run, so that each can be run again.
  memory.fill(GARBAGE, ring.ringAt);
  return ring;
}

const GARBAGE = 0xa5;
