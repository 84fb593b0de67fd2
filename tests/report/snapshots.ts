/** Made-up counters and snapshots for the tests of the reports. */

import { NOTHING_COUNTED } from "../../src/lane/counters.ts";
import type { InputState, OutputState, Snapshot } from "../../src/report/events.ts";

export function inputOf(state: Partial<InputState>, label = "stdout"): InputState {
  return {
    label,
    capacityBytes: CAPACITY_BYTES,
    ...NOTHING_COUNTED,
    shortfall: { totalBytes: 0, beforeBurstBytes: 0 },
    inBytesPerSecond: 0,
    outBytesPerSecond: 0,
    ...state,
  };
}

export function outputOf(state: Partial<OutputState>): OutputState {
  return {
    name: "the output",
    takesNothingSinceMs: undefined,
    failingSinceMs: undefined,
    retries: 0,
    lastError: undefined,
    ...state,
  };
}

/** 2026-11-22T10:00:00.000Z; the tests count from here. */
export const START_MS = Date.UTC(2026, 10, 22, 10);
export const CAPACITY_BYTES = 16 * 1024 * 1024;

/** So many seconds after the start. */
export function snapshot(
  seconds: number,
  inputs: readonly InputState[],
  output: Partial<OutputState> = {},
): Snapshot {
  return {
    timeMs: START_MS + seconds * 1000,
    startMs: START_MS,
    routes: [{ number: 0, inputs, output: outputOf(output) }],
  };
}
