import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import type { Counts } from "../../src/lane/counters.ts";
import { allocateLanes, MIN_CAPACITY } from "../../src/lane/lane.ts";
import { LaneCounters } from "../../src/lane/lane_counters.ts";
import { newCounters } from "./small_lane.ts";

function sumOf(counts: Counts): [lines: bigint, bytes: bigint] {
  return [
    counts.linesOut + counts.linesOverwritten + counts.linesDropped +
    counts.linesRejected + counts.linesBuffered,
    counts.bytesOut + counts.bytesOverwritten + counts.bytesDropped +
    counts.bytesRejected + counts.bytesBuffered,
  ];
}

Deno.test("what came in is out, lost, or buffered, after any of these", () => {
  const amounts = fc.record({
    kind: fc.constantFrom("out", "overwritten", "dropped", "discarded"),
    bytes: fc.nat(2 ** 31),
    lines: fc.nat(1000),
  });
  fc.assert(
    fc.property(
      fc.array(amounts, { maxLength: 30 }),
      fc.boolean(),
      (steps, dropNewest) => {
        const counters = newCounters();
        let [bytes, lines, discardedBytes, discardedLines] = [0, 0, 0, 0];
        for (const step of steps) {
          counters.addIn(step.bytes + 10, step.lines + 1, false);
          bytes += step.bytes + 10;
          lines += step.lines + 1;
          if (step.kind === "out") counters.add("out", step.bytes, step.lines);
          if (step.kind === "overwritten") {
            counters.add("overwritten", step.bytes, step.lines);
          }
          if (step.kind === "dropped") counters.add("dropped", step.bytes, step.lines);
          if (step.kind === "discarded") {
            discardedBytes += step.bytes;
            discardedLines += step.lines;
            counters.setDiscarded(discardedBytes, discardedLines);
          }
        }
        const counts = counters.read(dropNewest);
        assertEquals(sumOf(counts), [BigInt(lines), BigInt(bytes)]);
        assertEquals([counts.linesIn, counts.bytesIn], [BigInt(lines), BigInt(bytes)]);
        assertEquals(counts.linesBuffered, BigInt(steps.length));
        assertEquals(counts.bytesBuffered, BigInt(10 * steps.length));
      },
    ),
  );
});

Deno.test("discarded pieces belong to the kind of loss that the policy has", () => {
  const counters = newCounters();
  counters.addIn(100, 10, false);
  counters.add("overwritten", 5, 1);
  counters.add("dropped", 7, 2);
  counters.setDiscarded(20, 3);
  const overwrite = counters.read(false);
  assertEquals([overwrite.bytesOverwritten, overwrite.linesOverwritten], [25n, 4n]);
  assertEquals([overwrite.bytesDropped, overwrite.linesDropped], [7n, 2n]);
  const dropNewest = counters.read(true);
  assertEquals([dropNewest.bytesOverwritten, dropNewest.linesOverwritten], [5n, 1n]);
  assertEquals([dropNewest.bytesDropped, dropNewest.linesDropped], [27n, 5n]);
});

Deno.test("a line that has begun is in, once", () => {
  const counters = newCounters();
  counters.addIn(3, 0, true);
  assertEquals(counters.read(false).linesIn, 1n);
  counters.addIn(3, 0, true);
  assertEquals(counters.read(false).linesIn, 1n);
  counters.addIn(3, 2, true);
  assertEquals(counters.read(false).linesIn, 3n);
  counters.addIn(1, 1, false);
  assertEquals(counters.read(false).linesIn, 3n);
});

Deno.test("counters go on beyond 32 and 53 bits", () => {
  const counters = newCounters();
  const most = 2 ** 32 - 1;
  for (let step = 0; step < 100; step++) counters.addIn(most, most, false);
  assertEquals(counters.read(false).bytesIn, 100n * BigInt(most));
  const [bytes, lines] = [2 ** 53, 2 ** 53];
  counters.setDiscarded(bytes, lines);
  assertEquals(counters.read(false).bytesOverwritten, 2n ** 53n);
});

Deno.test("lanes do not touch each other, also in one memory", () => {
  const areas = { landingBytes: 4096, handBytes: 4096, outputBytes: 0 };
  const lanes = allocateLanes(64, { capacityBytes: MIN_CAPACITY, ...areas });
  assertEquals(new Set(lanes.map(({ memory }) => memory)).size, 1);
  const inputs = lanes.map((lane) => new LaneCounters(lane));
  for (const [index, counters] of inputs.entries()) {
    counters.addIn(12 * index, 12 * index, true);
    counters.add("out", index, index);
    counters.add("overwritten", index, index);
    counters.add("dropped", index, index);
    counters.setDiscarded(index, index);
  }
  for (const [index, input] of inputs.entries()) {
    const { bytesIn, bytesOut, bytesBuffered } = input.read(false);
    assertEquals(
      [bytesIn, bytesOut, bytesBuffered],
      [BigInt(12 * index), BigInt(index), BigInt(8 * index)],
    );
  }
});

Deno.test("a lane has counted nothing when it is new", () => {
  assert(Object.values(newCounters().read(false)).every((count) => count === 0n));
});

Deno.test("no count shrinks", () => {
  const counters = newCounters();
  assertThrows(() => counters.add("out", -1, 0), Error, '"out" would shrink');
  assertThrows(() => counters.addIn(1, -1, false), Error, '"in" would shrink');
});
