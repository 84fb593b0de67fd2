import { assertEquals } from "@std/assert";
import { SinkRejection } from "../../src/errors.ts";
import { LaneCounters } from "../../src/lane/lane_counters.ts";
import type { Outlet } from "../../src/output/outlet.ts";
import type { Sink } from "../../src/output/sink.ts";
import { RingPair } from "../lane/ring_pair.ts";
import { FakeSink } from "./fake_sink.ts";
import { LateSink } from "./late_sink.ts";
import { plainOutlet } from "./plain_outlet.ts";

function makeOutlet(sink: Sink, flushed: number[], markers = true): Outlet {
  const onFlushed = (found: number) => void flushed.push(found);
  return plainOutlet({ lanes: [], stays: true, sink, markers, onFlushed });
}

/** A lane through which one line has come, and nothing more will. */
function laneWith(line: string, found: number) {
  const pair = new RingPair();
  new LaneCounters(pair.ring).addIn(line.length, 1, false);
  pair.pushText(line, 1);
  pair.producer.close(0, 0, 2);
  return { label: `in${found}`, lane: pair.ring, found };
}

Deno.test("lanes come and go, and the outlet ends when it is closed and not before", () => {
  const flushed: number[] = [];
  const sink = new FakeSink();
  const outlet = makeOutlet(sink, flushed);
  assertEquals(outlet.step(0), "waiting");
  for (const found of [7, 8]) {
    outlet.add(laneWith(`${found}\n`, found));
    assertEquals(outlet.step(0), "waiting");
  }
  assertEquals([sink.text, flushed], ["7\n8\n", [7, 8]]);
  outlet.close();
  assertEquals(outlet.step(0), "ended");
});

Deno.test("what comes under a label again is not taken for what had come before", () => {
  const runs: string[] = [];
  const sink: Sink = {
    write: (piece, from) => {
      runs.push(piece.run);
      return piece.length - from;
    },
    finish: () => true,
  };
  const outlet = makeOutlet(sink, []);
  for (const found of [7, 8]) {
    outlet.add({ ...laneWith("the same\n", found), label: "app" });
    outlet.step(0);
  }
  assertEquals([runs.length, new Set(runs).size], [2, 2]);
});

Deno.test("a lane is another's only when all that came through it has arrived", () => {
  const flushed: number[] = [];
  const sink = new LateSink();
  const outlet = makeOutlet(sink, flushed);
  outlet.add(laneWith("on its way\n", 7));
  for (let step = 0; step < 3; step++) assertEquals(outlet.step(step), "waiting");
  assertEquals([sink.text, flushed], ["on its way\n", []]);
  sink.decide();
  // Nothing else calls for a step.
  assertEquals([outlet.step(3), outlet.step(3)], ["more to do", "waiting"]);
  assertEquals(flushed, [7]);
});

for (const markers of [true, false]) {
  Deno.test(`a lane is let go whose line was refused, markers: ${markers}`, () => {
    const flushed: number[] = [];
    const sink = new FakeSink({ answers: [new SinkRejection("not this one", 2)] });
    const outlet = makeOutlet(sink, flushed, markers);
    for (const found of [7, 8]) {
      outlet.add(laneWith(`${found}\n`, found));
      for (let step = 0; step < 3; step++) assertEquals(outlet.step(step), "waiting");
    }
    assertEquals(flushed, [7, 8]);
    assertEquals(sink.text.includes("1 line (2 bytes) rejected"), markers);
  });
}
