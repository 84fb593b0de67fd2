import { assertEquals } from "@std/assert";
import { OutletQueue } from "../../src/output/outlet_queue.ts";
import { Board } from "../../src/threads/board.ts";
import { Doorbell } from "../../src/threads/doorbell.ts";
import { RingPair } from "../lane/ring_pair.ts";
import { FakeSink } from "./fake_sink.ts";
import { plainOutlet } from "./plain_outlet.ts";

/** More writes than the queue can try in a test. */
const FROZEN = { answers: Array.from({ length: 100 }, () => 0) };

Deno.test("an output that takes nothing delays no other of its loop", () => {
  const board = Board.create();
  const doorbell = Doorbell.create();
  const queue = new OutletQueue(doorbell);
  const sinks = [
    new FakeSink(FROZEN),
    new FakeSink(),
    new FakeSink(FROZEN),
    new FakeSink(),
  ];
  const rings = sinks.map(() => new RingPair());
  sinks.forEach((sink, slot) => {
    const lanes = [{ label: "stdout", lane: rings[slot]!.ring }];
    queue.add(slot, plainOutlet({ lanes, sink, board, slot }), {
      onEnded: () => {},
      onFailed: (error) => {
        throw error;
      },
    });
  });
  for (const line of ["one\n", "two\n"]) {
    rings.forEach((ring, plate) => {
      ring.pushText(line, 1);
      doorbell.ring(plate);
    });
    const nowMs = performance.now();
    queue.gather(nowMs);
    queue.step(nowMs, () => {});
    // Those that had more to do than their share.
    queue.step(nowMs, () => {});
  }
  assertEquals(sinks.map(({ text }) => text), ["", "one\ntwo\n", "", "one\ntwo\n"]);
});

Deno.test("an output that has waited for room is called again when lines come", () => {
  const doorbell = Doorbell.create();
  const queue = new OutletQueue(doorbell);
  const ring = new RingPair();
  const sink = new FakeSink({ answers: [0] });
  const lanes = [{ label: "stdout", lane: ring.ring }];
  queue.add(0, plainOutlet({ lanes, sink }), {
    onEnded: () => {},
    onFailed: (error) => {
      throw error;
    },
  });
  ring.pushText("one\n", 1);
  queue.step(performance.now(), () => {});
  assertEquals(sink.text, "");
  // What the loop does when there is room; then the outlet rests.
  queue.call(0);
  while (queue.gather(performance.now())) queue.step(performance.now(), () => {});
  assertEquals(sink.text, "one\n");
  ring.pushText("two\n", 1);
  doorbell.ring(0);
  assertEquals(queue.gather(performance.now()), true);
  queue.step(performance.now(), () => {});
  assertEquals(sink.text, "one\ntwo\n");
});
