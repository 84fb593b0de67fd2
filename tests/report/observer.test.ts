import { assert, assertEquals } from "@std/assert";
import { LaneCounters } from "../../src/lane/lane_counters.ts";
import { type Lane, MIN_CAPACITY } from "../../src/lane/lane.ts";
import { inputsOf, totalOf } from "../../src/report/events.ts";
import { renderMeter } from "../../src/report/meter.ts";
import { Observer } from "../../src/report/observer.ts";
import { STANDARD_OUTPUT } from "../../src/output/stdout_sink.ts";
import { Board } from "../../src/threads/board.ts";
import { laneOf } from "../lane/small_lane.ts";

const ROUTE = 7;

/** One output, to which inputs come and from which they go. */
function observed(): Observer {
  const observer = new Observer(false);
  const plan = {
    inputs: [],
    capacityBytes: MIN_CAPACITY,
    whenFull: "overwrite",
    output: STANDARD_OUTPUT,
  } as const;
  observer.add({ number: ROUTE, slot: 0, plan, lanes: [] }, Board.create());
  return observer;
}

/** A lane through which so many lines have gone, each of one byte. */
function laneWith(lines: number): Lane {
  const lane = laneOf(MIN_CAPACITY, 0, 0);
  const counters = new LaneCounters(lane);
  counters.addIn(lines, lines, false);
  counters.add("out", lines, lines);
  return lane;
}

Deno.test("what an input that has come back was counted before stays with it", () => {
  const observer = observed();
  const [first, second] = [laneWith(5000), laneWith(3)];
  observer.addLane(ROUTE, "a", first);
  observer.addLane(ROUTE, "a", second);
  observer.addLane(ROUTE, "b", laneWith(10));
  observer.snapshot();
  assert(!observer.removeLane(ROUTE, first), "it is still there");

  const snapshot = observer.snapshot();
  const [a] = inputsOf(snapshot);
  assertEquals([a!.label, a!.linesIn, a!.bytesOut], ["a", 5003n, 5003n]);
  assert(a!.inBytesPerSecond >= 0, `it reads ${a!.inBytesPerSecond} bytes per second`);
  assertEquals(snapshot.gone, undefined);
  // A bar cannot be shorter than nothing.
  const look = { columns: 120, rows: 24, colour: false };
  assertEquals(renderMeter(snapshot, look).length, 3);

  assert(observer.removeLane(ROUTE, second), "it has gone");
  const { gone, ...rest } = observer.snapshot();
  assertEquals([gone!.inputs, gone!.linesIn], [1, 5003n]);
  assertEquals(totalOf({ ...rest, gone: gone! }).linesIn, 5013n);
});

Deno.test("the start does not move while the clock is not set", async () => {
  const observer = observed();
  const starts = new Set<number>();
  const uptimes: number[] = [];
  const untilMs = performance.now() + 50;
  while (performance.now() < untilMs) {
    const { startMs, timeMs } = observer.snapshot();
    starts.add(startMs);
    uptimes.push(timeMs - startMs);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  assertEquals(starts.size, 1, `it was ${[...starts]}`);
  assert(uptimes.every((uptime) => uptime >= 0));
});
