import { assertEquals } from "@std/assert";
import { run } from "./pipeline.ts";
import { atLeast, atMost, withoutHastyGoals } from "./results.ts";

const MIB = 1024 ** 2;

Deno.test("what warms a program up is written, and not measured", async () => {
  const { load, taken } = await run({
    command: ["cat"],
    sink: "greedy",
    load: {
      writeBytes: 4096,
      lineBytes: 128,
      warmUpBytes: MIB,
      totalBytes: 2 * MIB,
      seconds: 30,
    },
  });
  assertEquals(load.measuredBytes, 2 * MIB);
  assertEquals(load.bytes, 3 * MIB);
  assertEquals(taken!.bytes, 3 * MIB);
  // One write is made before the clock starts, to find out whether the program reads.
  assertEquals(load.writeSizes.reduce((sum, size) => sum + size, 0), 2 * MIB - 4096);
});

Deno.test("a quick run does not judge what it is too short for", () => {
  const row = { what: "", subject: "", unit: "", values: [50] };
  const lost = { ...row, goal: { text: "0", met: false } };
  const slow = { ...row, goal: atLeast(100, "≥ 100", row.values) };
  const busy = { ...row, goal: atMost(1, "≤ 1", row.values, { needsTime: true }) };
  const large = { ...row, goal: atMost(1, "≤ 1", row.values) };
  assertEquals(
    withoutHastyGoals([lost, slow, busy, large]).map(({ goal }) => goal?.met),
    [false, undefined, undefined, false],
  );
});
