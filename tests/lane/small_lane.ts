import { allocateLane, type Lane, MIN_CAPACITY } from "../../src/lane/lane.ts";
import { LaneCounters } from "../../src/lane/lane_counters.ts";

/** A lane with areas of these sizes. */
export function laneOf(
  capacityBytes: number,
  landingBytes: number,
  handBytes: number,
  outputBytes = 0,
): Lane {
  return allocateLane({ capacityBytes, landingBytes, handBytes, outputBytes });
}

/** Counters that nobody else writes. */
export function newCounters(): LaneCounters {
  return new LaneCounters(laneOf(MIN_CAPACITY, 0, 0));
}
