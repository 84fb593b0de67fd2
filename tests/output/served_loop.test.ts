import { assertEquals } from "@std/assert";
import { OutletQueue } from "../../src/output/outlet_queue.ts";
import { ServedLoop } from "../../src/output/served_loop.ts";
import { signal } from "../../src/system/event_counter.ts";
import { Board } from "../../src/threads/board.ts";
import { Doorbell } from "../../src/threads/doorbell.ts";
import { until } from "../end_to_end/run.ts";
import { RingPair } from "../lane/ring_pair.ts";
import { FakeSink } from "./fake_sink.ts";
import { plainOutlet } from "./plain_outlet.ts";

/** A peer that does not answer, until it is let go. */
class SilentSink extends FakeSink {
  readonly #answer = Promise.withResolvers<void>();
  #isLetGo = false;

  letGo(): void {
    this.#isLetGo = true;
    this.#answer.resolve();
  }

  override write(...args: Parameters<FakeSink["write"]>): number {
    if (this.#isLetGo) return super.write(...args);
    const [, , wait] = args;
    wait.promise = this.#answer.promise;
    return 0;
  }
}

Deno.test("while a peer does not answer, the loop sleeps where the doorbell wakes it", async () => {
  const board = Board.create();
  let sleeps = 0;
  const { load, or, and, exchange } = Atomics;
  const doorbell = Doorbell.attach(Doorbell.create().memory, {
    load,
    or,
    and,
    exchange,
    signal,
    store: (words, index, value) => {
      // What the loop says before it sleeps.
      if (index === 0 && value === 1) sleeps++;
      Atomics.store(words, index, value);
    },
  });
  const queue = new OutletQueue(doorbell);
  const sinks = [new SilentSink(), new FakeSink()] as const;
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
  rings[0]!.pushText("one\n", 1);
  const running = new ServedLoop(doorbell, queue).run();
  await until("it to have begun", () => board.route(0).writingSince !== undefined);
  const before = sleeps;
  await until("it to sleep again and again", () => sleeps > before + 3);
  rings[1]!.pushText("two\n", 1);
  doorbell.ring(1);
  await until("the other line", () => sinks[1].text === "two\n");
  sinks[0].letGo();
  rings.forEach((ring, plate) => {
    ring.producer.close(0, 0, 1);
    doorbell.ring(plate);
  });
  await running;
  assertEquals(sinks.map(({ text }) => text), ["one\n", "two\n"]);
});
