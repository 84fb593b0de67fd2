import { assert, assertEquals } from "@std/assert";
import { MIN_CAPACITY } from "../../src/lane/lane.ts";
import { LeftLane } from "../../src/lane/left_lane.ts";
import { RingConsumer } from "../../src/lane/ring_consumer.ts";
import { FramedInput } from "../input/framed_input.ts";

Deno.test("what was lost before anything was taken has come since its run began", () => {
  const input = new FramedInput();
  const line = "x".repeat(999) + "\n";
  for (let bytes = 0; bytes < 2 * MIN_CAPACITY; bytes += line.length) {
    input.framer.expect(line.length);
    input.land(line);
    input.passMs(1000);
  }
  const [startTime, nextStartTime] = [1, 1e15];
  new LeftLane(input.ring, true).prepare(startTime);
  const batch = new RingConsumer(input.ring, nextStartTime).drain()!;
  assert(batch.gapLines > 0);
  assertEquals(batch.gapFrom, startTime);
  assert(batch.gapTo > startTime);
});
