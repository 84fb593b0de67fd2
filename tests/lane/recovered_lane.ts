/** What a run does that finds a lane left by one that was killed. */

import { assert, assertEquals } from "@std/assert";
import { LineFramer } from "../../src/input/line_framer.ts";
import type { Lane } from "../../src/lane/lane.ts";
import { LaneCounters } from "../../src/lane/lane_counters.ts";
import { LeftLane } from "../../src/lane/left_lane.ts";
import { RingProducer } from "../../src/lane/ring_producer.ts";
import type { Outlet } from "../../src/output/outlet.ts";
import type { Sink } from "../../src/output/sink.ts";
import { plainOutlet } from "../output/plain_outlet.ts";

/** An outlet of one lane that is kept. @param run see `LabelledLane` */
export function keptOutlet(lane: Lane, sink: Sink, run?: string): Outlet {
  const lanes = [{ label: "stdout", lane, run }];
  return plainOutlet({ lanes, sink, startTime: 1 });
}

/** Delivers all that is left in a lane, and checks that this is what it had said. */
export function recover(lane: Lane, sink: Sink, maxLineBytes: number): void {
  const left = new LeftLane(lane, true);
  const { amount } = left;
  left.prepare(1);
  const counters = new LaneCounters(lane);
  const outlet = keptOutlet(lane, sink, "an earlier run");
  if (!left.ended) {
    const producer = new RingProducer(lane, "block");
    const framer = new LineFramer(lane, producer, counters, maxLineBytes, () => {});
    framer.pushUnfinished();
    for (let nowMs = 0; framer.blocked; nowMs++) {
      outlet.step(nowMs);
      framer.unblock(nowMs);
      if (!framer.blocked) framer.pushUnfinished();
    }
    framer.close(1e12);
  }
  for (let nowMs = 1000; outlet.step(nowMs) !== "ended"; nowMs++) assert(nowMs < 1e5);
  const counts = counters.read(false);
  assertEquals([counts.linesRecovered, counts.bytesRecovered], [
    BigInt(amount.lines),
    BigInt(amount.bytes),
  ]);
  assertEquals([counts.linesBuffered, counts.bytesBuffered], [0n, 0n]);
}

const MARKER = /^spillway: (\d+) lines? \((\d+) bytes\) overwritten between .*\n/;

export interface Followed {
  /** How far into the input it comes. */
  readonly inputAt: number;
  readonly missingBytes: number;
}

/**
 * Follows an output through its input: what comes out is what is there, and a marker
 * stands for what is not.
 */
export function follow(input: string, output: string): Followed {
  let [inputAt, missingBytes] = [0, 0];
  for (let from = 0; from < output.length;) {
    const marker = MARKER.exec(output.slice(from, from + 200));
    if (marker !== null) {
      const bytes = Number(marker[2]);
      const missing = input.slice(inputAt, inputAt + bytes);
      const lines = missing.split("\n").length - 1;
      const endsOpen = inputAt + bytes === input.length && !missing.endsWith("\n");
      assertEquals(Number(marker[1]), lines + (endsOpen ? 1 : 0), marker[0]);
      inputAt += bytes;
      missingBytes += bytes;
      from += marker[0].length;
      continue;
    }
    const newline = output.indexOf("\n", from);
    const end = newline < 0 ? output.length : newline + 1;
    const text = output.slice(from, end);
    const expected = input.slice(inputAt, inputAt + text.length);
    if (text !== expected) assertEquals(text, expected, `from ${inputAt} on`);
    inputAt += text.length;
    from = end;
  }
  return { inputAt, missingBytes };
}
