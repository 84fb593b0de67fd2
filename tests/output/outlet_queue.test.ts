import { assertEquals } from "@std/assert";
import { RawFormat } from "../../src/formats/raw.ts";
import { Outlet } from "../../src/output/outlet.ts";
import { OutletQueue } from "../../src/output/outlet_queue.ts";
import { Board } from "../../src/threads/board.ts";
import { Doorbell } from "../../src/threads/doorbell.ts";
import { RingPair } from "../lane/ring_pair.ts";
import { FakeSink } from "./fake_sink.ts";

/** More writes than the queue can try in a test. */
const FROZEN = { answers: Array.from({ length: 100 }, () => 0) };

function makeOutlet(board: Board, route: number, sink: FakeSink, ring: RingPair): Outlet {
  const ignored = () => {};
  return new Outlet({
    lanes: [{ label: "stdout", lane: ring.ring }],
    stays: false,
    board,
    slot: route,
    thread: 1,
    sink,
    sinkEvents: {
      onSinkFailing: ignored,
      onSinkRecovered: ignored,
      onReopened: ignored,
      onSinkRejecting: ignored,
    },
    format: new RawFormat(),
    markers: true,
    whenFull: "overwrite",
    startTime: 0,
    onRoom: ignored,
    onFlushed: () => {},
  });
}

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
  sinks.forEach((sink, plate) =>
    queue.add(plate, makeOutlet(board, plate, sink, rings[plate]!), {
      onEnded: () => {},
      onFailed: (error) => {
        throw error;
      },
    })
  );
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
