/** Rings and inputs whose interleavings are tried. */

import { frameLength, HEADER_BYTES, UNIT } from "../../src/lane/layout.ts";
import type { KilledScenario } from "./killed_threads.ts";
import type { Scenario } from "./ring_threads.ts";

/** Three frames of one small line each, and room for the header of the last frame. */
const SMALL_RING_BYTES = 3 * frameLength(UNIT) + HEADER_BYTES;
/** A ring whose end falls into headers and payloads. */
const ODD_RING_BYTES = 3 * frameLength(UNIT) + UNIT;
/** Positions whose low bits are about to overflow, in units. */
const LATE_POSITION = 2 ** 32 - 7;

const ONE_LINE_FRAMES = ["1\n", "22\n", "333\n", "4444\n", "55555\n", "666666\n"];
const MIXED_FRAMES = ["1\n2\n", "three\n", "four is longer\n5\n", "6\n", "7\n8\n9\n"];
const PIECES = ["a\n", "begun ", "goes on ", "ends\n", "last\n"];

/** @param frames how many frames are pushed; each one makes the model about 4 times larger */
export function scenarios(frames: number): Readonly<Record<string, Scenario>> {
  return {
    "overwrite, one line a frame": {
      policy: "overwrite",
      ringBytes: SMALL_RING_BYTES,
      position: 0,
      frames: ONE_LINE_FRAMES.slice(0, frames),
      maxFrames: 2,
    },
    "overwrite, lines of any length": {
      policy: "overwrite",
      ringBytes: ODD_RING_BYTES,
      position: 5,
      frames: MIXED_FRAMES.slice(0, frames),
      maxFrames: 256,
    },
    "overwrite, a line in pieces": {
      policy: "overwrite",
      ringBytes: ODD_RING_BYTES,
      position: LATE_POSITION,
      frames: PIECES.slice(0, frames),
      maxFrames: 2,
    },
    "drop-newest, lines of any length": {
      policy: "drop-newest",
      ringBytes: ODD_RING_BYTES,
      position: LATE_POSITION,
      frames: MIXED_FRAMES.slice(0, frames),
      maxFrames: 256,
    },
    "drop-newest, a line in pieces": {
      policy: "drop-newest",
      ringBytes: ODD_RING_BYTES,
      position: 0,
      frames: PIECES.slice(0, frames),
      maxFrames: 2,
    },
    "block, the framer pushes": {
      policy: "block",
      ringBytes: ODD_RING_BYTES,
      position: 5,
      frames: ONE_LINE_FRAMES.slice(0, frames),
      maxFrames: 1,
    },
  };
}

/** One frame of a small line, and room for the header of the last frame, and a little. */
const SMALLEST_RING_BYTES = frameLength(UNIT) + HEADER_BYTES + 16;
/** Each makes a frame, and some end inside a line. */
const READS = ["1\n2", "2\n", "333\n4", "444\n55555\n6", "6\n7"];

/** @param reads how often there is something to read */
export function killedScenarios(
  reads: number,
): Readonly<Record<string, KilledScenario>> {
  const scenario = {
    policy: "overwrite",
    ringBytes: SMALLEST_RING_BYTES,
    position: 0,
    frames: READS.slice(0, reads),
    maxFrames: 256,
    output: "pipe",
    takes: [],
  } as const;
  return {
    "overwrite, to a pipe": scenario,
    "overwrite, to a file": { ...scenario, output: "file" },
    "overwrite, to a file that takes little at a time": {
      ...scenario,
      output: "file",
      takes: [2, 0, 3, 1],
    },
    "overwrite, to a pipe that takes little at a time": {
      ...scenario,
      ringBytes: SMALLEST_RING_BYTES + 8,
      position: LATE_POSITION,
      takes: [1, 4],
    },
    "drop-newest, to a file": {
      ...scenario,
      policy: "drop-newest",
      position: 5,
      output: "file",
      takes: [5],
    },
  };
}
