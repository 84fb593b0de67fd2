import { assert, assertEquals } from "@std/assert";
import type { ReportEvent } from "../../src/report/events.ts";
import { toText } from "../../src/report/text.ts";
import { countsOf, START_MS } from "./snapshots.ts";

const timeMs = START_MS + 90_500;
const LOSS = {
  timeMs,
  input: "stderr",
  reason: "overwritten",
  lines: 1234n,
  bytes: 56_789n,
  sinceMs: START_MS + 123,
  untilMs: START_MS + 61_456,
} as const;

const SENTENCES: readonly (readonly [ReportEvent, string])[] = [
  [
    { ...LOSS, event: "loss" },
    "spillway: stderr: the ring is full and the output is too slow: 1234 lines (56.8 kB) overwritten since 10:00:00.123Z",
  ],
  [
    { ...LOSS, event: "loss", reason: "dropped", lines: 1n, bytes: 1n },
    "spillway: stderr: the ring is full and the output is too slow: 1 line (1 B) dropped since 10:00:00.123Z",
  ],
  [
    { ...LOSS, event: "loss_end" },
    "spillway: stderr: no more lines are lost: 1234 lines (56.8 kB) were overwritten between 10:00:00.123Z and 10:01:01.456Z",
  ],
  [
    { timeMs, event: "stall", output: "standard output", sinceMs: START_MS },
    "spillway: standard output has taken nothing for 90.5 s",
  ],
  [
    { timeMs, event: "stall_end", output: '"/var/log/app.log"', sinceMs: START_MS },
    'spillway: "/var/log/app.log" takes data again after 90.5 s',
  ],
  [
    { timeMs, event: "sink_failing", message: 'cannot write to "x": disk full' },
    'spillway: cannot write to "x": disk full; trying again, new lines are kept in memory',
  ],
  [
    { timeMs, event: "sink_recovered", output: '"x"' },
    'spillway: "x" works again',
  ],
  [{ timeMs, event: "error", message: "it broke" }, "spillway: it broke"],
];

for (const [event, sentence] of SENTENCES) {
  Deno.test(`text: ${sentence}`, () => assertEquals(toText(event), sentence));
}

const ONE = countsOf({ linesIn: 1n, bytesIn: 10n, linesOut: 1n, bytesOut: 10n });
const MANY = countsOf({
  linesIn: 21n,
  bytesIn: 2_000_000n,
  linesOut: 5n,
  bytesOut: 500n,
  linesOverwritten: 4n,
  bytesOverwritten: 400n,
  linesDropped: 3n,
  bytesDropped: 300n,
  linesRejected: 2n,
  bytesRejected: 200n,
  linesBuffered: 7n,
  bytesBuffered: 1_998_600n,
}, "stderr");

function summary(event: "status" | "summary", ...inputs: ReturnType<typeof countsOf>[]) {
  return toText({ timeMs, event, durationMs: 1500, inputs });
}

Deno.test("the summary of one input is one sentence, without what did not happen", () => {
  assertEquals(
    summary("summary", ONE),
    "spillway: 1 line (10 B) in, 1 line (10 B) out, in 1.5 s",
  );
});

Deno.test("the summary says of every line what became of it", () => {
  assertEquals(
    summary("summary", MANY),
    "spillway: 21 lines (2 MB) in, 5 lines (500 B) out, 4 lines (400 B) overwritten, " +
      "3 lines (300 B) dropped, 2 lines (200 B) rejected, 7 lines (2 MB) left unwritten, in 1.5 s",
  );
});

Deno.test("while it runs, what is buffered is in memory and not left unwritten", () => {
  assert(summary("status", MANY).includes("7 lines (2 MB) in memory"));
});

Deno.test("the summary of several inputs is a sentence for each, and one for all", () => {
  assertEquals(
    summary("summary", ONE, MANY).split("\n").map((line) => line.slice(0, 40)),
    [
      "spillway: stdout: 1 line (10 B) in, 1 li",
      "spillway: stderr: 21 lines (2 MB) in, 5 ",
      "spillway: all inputs: 22 lines (2 MB) in",
    ],
  );
});

Deno.test("a line that is left behind without a byte is said as well", () => {
  const left = countsOf({ linesIn: 1n, bytesIn: 3n, bytesOut: 3n, linesBuffered: 1n });
  assert(summary("summary", left).includes("1 line (0 B) left unwritten"));
});
