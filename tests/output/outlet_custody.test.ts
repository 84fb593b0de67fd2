import { assertEquals, assertMatch } from "@std/assert";
import { ENDS_INSIDE, STARTS_INSIDE } from "../../src/lane/layout.ts";
import type { Lane } from "../../src/lane/lane.ts";
import { LaneCounters } from "../../src/lane/lane_counters.ts";
import type { Outlet } from "../../src/output/outlet.ts";
import { RingPair } from "../lane/ring_pair.ts";
import { LateSink } from "./late_sink.ts";
import { plainOutlet } from "./plain_outlet.ts";

const REJECTED = { rejected: "it is too long" };

/** A lane whose writer is in the middle of a line, which is on its way after `before`. */
function insideLine(before = "") {
  const sink = new LateSink();
  const pair = new RingPair();
  const flushed: number[] = [];
  const outlet = plainOutlet({
    lanes: [],
    stays: true,
    sink,
    onFlushed: (found) => void flushed.push(found),
  });
  if (before !== "") outlet.add({ label: "other", lane: laneWith(before), found: 8 });
  outlet.add({ label: "app", lane: pair.ring, found: 7 });
  new LaneCounters(pair.ring).addIn(4, 0, true);
  pair.push(new TextEncoder().encode("half"), 0, ENDS_INSIDE, 1);
  rest(outlet);
  assertEquals(sink.text, `${before}half`);
  return { sink, pair, outlet, flushed };
}

/** A lane through which one line has come, and nothing more will. */
function laneWith(line: string): Lane {
  const pair = new RingPair();
  new LaneCounters(pair.ring).addIn(line.length, 1, false);
  pair.pushText(line, 0);
  pair.producer.close(0, 0, 0);
  return pair.ring;
}

function rest(outlet: Outlet): void {
  while (outlet.step(0) === "more to do");
}

Deno.test("a line is over that ended without a byte more, when its refusal comes", () => {
  const { sink, pair, outlet, flushed } = insideLine();
  pair.producer.close(1, STARTS_INSIDE, 2);
  rest(outlet);
  sink.decide(REJECTED);
  rest(outlet);
  assertMatch(sink.text, /^half\nspillway: 1 line \(4 bytes\) rejected .*\n$/);
  assertEquals(flushed, [7]);
});

Deno.test("a line whose end was overwritten is over, when its refusal comes", () => {
  const { sink, pair, outlet } = insideLine();
  pair.push(new TextEncoder().encode("lost\n"), 1, STARTS_INSIDE, 2);
  for (let time = 3; time < 6; time++) {
    pair.pushText("x".repeat(pair.ring.capacityBytes / 2) + "\n", time);
  }
  rest(outlet);
  sink.decide(REJECTED, 1);
  rest(outlet);
  const after = sink.text.slice(-120);
  assertMatch(after, /x\nspillway: 0 lines \(4 bytes\) rejected .*\n$/);
});

Deno.test("an input that has gone does not wait for the line of another to end", () => {
  const { sink, outlet, flushed } = insideLine("gone\n");
  sink.decide(REJECTED, 1);
  rest(outlet);
  assertMatch(sink.text, /^gone\nhalf\nspillway: 1 line \(5 bytes\) rejected .*\n$/);
  assertEquals(flushed, [8]);
});
