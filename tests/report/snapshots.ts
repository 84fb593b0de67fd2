/** Made-up counters and snapshots for the tests of the reports. */

import type { Counts } from "../../src/report/board.ts";
import type { InputCounts, Snapshot } from "../../src/report/events.ts";

const NOTHING: Counts = {
  linesIn: 0n,
  bytesIn: 0n,
  linesOut: 0n,
  bytesOut: 0n,
  linesOverwritten: 0n,
  bytesOverwritten: 0n,
  linesDropped: 0n,
  bytesDropped: 0n,
  linesRejected: 0n,
  bytesRejected: 0n,
  linesBuffered: 0n,
  bytesBuffered: 0n,
};

export function countsOf(counts: Partial<Counts>, label = "stdout"): InputCounts {
  return { label, ...NOTHING, ...counts };
}

/** 2026-11-22T10:00:00.000Z; the tests count from here. */
export const START_MS = Date.UTC(2026, 10, 22, 10);

/** So many seconds after the start. */
export function snapshot(
  seconds: number,
  inputs: readonly InputCounts[],
  writingSinceSeconds?: number,
): Snapshot {
  return {
    timeMs: START_MS + seconds * 1000,
    inputs,
    writingSinceMs: writingSinceSeconds === undefined
      ? undefined
      : START_MS + writingSinceSeconds * 1000,
  };
}
