import { assertEquals } from "@std/assert";
import { coalesce } from "../../src/report/coalesce.ts";
import type { ReportEvent } from "../../src/report/events.ts";
import { toText } from "../../src/report/text.ts";
import { inputOf, outputOf, snapshot, START_MS } from "./snapshots.ts";

function loss(lines: number): ReportEvent {
  return {
    timeMs: START_MS,
    event: "loss",
    repeated: false,
    input: inputOf({}, `in${lines}`),
    output: outputOf({}),
    reason: "overwritten",
    lines: BigInt(lines),
    bytes: BigInt(10 * lines),
    sinceMs: START_MS,
    untilMs: START_MS,
    capacityNeededBytes: 0,
  };
}

const STALLS: readonly ReportEvent[] = Array.from({ length: 100 }, (_, index) => ({
  timeMs: START_MS + 1000,
  event: "stall",
  route: { number: index, inputs: [], output: outputOf({ name: `out${index}` }) },
  sinceMs: START_MS - index,
}));

Deno.test("a few losses are reported one by one, in their order", () => {
  const few = [1, 4, 2, 3].map(loss);
  assertEquals(coalesce(few), few);
});

Deno.test("of a thousand losses the worst are reported, and what the others come to", () => {
  const told = coalesce(Array.from({ length: 1000 }, (_, index) => loss(index + 1)));
  assertEquals(
    told.map((event) => event.event === "loss" ? Number(event.lines) : event),
    [1000, 999, 998, {
      timeMs: START_MS,
      event: "others",
      of: "loss",
      count: 997,
      lines: 497_503n,
      bytes: 4_975_030n,
    }],
  );
  assertEquals(
    toText(told.at(-1)!),
    "spillway: 997 other inputs lose lines, too: 497503 lines (4.98 MB) so far",
  );
});

Deno.test("stalls are reported beside losses, the longest first", () => {
  const told = coalesce([loss(1), ...STALLS]);
  assertEquals(
    told.map((event) => event.event === "stall" ? event.route.output.name : event.event),
    ["loss", "out99", "out98", "out97", "others"],
  );
});

Deno.test("the summary of a thousand inputs names those that lost most", () => {
  const inputs = Array.from(
    { length: 1000 },
    (_, index) =>
      inputOf(
        { linesIn: 2n, bytesIn: 20n, bytesOverwritten: BigInt(index) },
        `in${index}`,
      ),
  );
  const now = snapshot(1, inputs);
  const lines = toText({ timeMs: now.timeMs, event: "summary", snapshot: now }).split(
    "\n",
  );
  assertEquals(lines.length, 12);
  assertEquals(lines[0]!.startsWith("spillway: in999: 2 lines (20 B) in"), true);
  assertEquals(lines[10]!.startsWith("spillway: 990 other inputs: 1980 lines"), true);
});
