import { assert, assertEquals } from "@std/assert";
import type { ReportEvent } from "../../src/report/events.ts";
import { toText } from "../../src/report/text.ts";
import { inputOf, outputOf, snapshot, START_MS } from "./snapshots.ts";

const timeMs = START_MS + 90_500;
const MIB = 1024 * 1024;
const LOSS = {
  timeMs,
  input: inputOf({ inBytesPerSecond: 5e6, outBytesPerSecond: 1.25e6 }, "stderr"),
  output: outputOf({}),
  reason: "overwritten",
  lines: 1234n,
  bytes: 56_789n,
  sinceMs: START_MS + 123,
  untilMs: START_MS + 61_456,
  capacityNeededBytes: 20.5 * MIB,
} as const;
const FAILING = outputOf({
  failingSinceMs: START_MS,
  retries: 3,
  lastError: { message: "cannot write: disk full", timeMs: START_MS + 2000 },
});
const HALF_FULL = inputOf({ bytesBuffered: BigInt(8 * MIB) });

function stalled(...inputs: ReturnType<typeof inputOf>[]) {
  return snapshot(90.5, inputs, { takesNothingSinceMs: START_MS });
}

const SENTENCES: readonly (readonly [ReportEvent, string])[] = [
  [
    { ...LOSS, event: "loss", repeated: false },
    "spillway: stderr: the ring is full and the output is too slow (5 MB/s in, 1.25 MB/s out): 1234 lines (56.8 kB) overwritten since 10:00:00.123Z",
  ],
  [
    { ...LOSS, event: "loss", repeated: true, reason: "dropped", lines: 1n, bytes: 1n },
    "spillway: stderr: the ring is full and the output is too slow (5 MB/s in, 1.25 MB/s out): 1 line (1 B) dropped since 10:00:00.123Z; --capacity 21MiB would have held this burst so far",
  ],
  [
    { ...LOSS, event: "loss", repeated: false, output: FAILING },
    "spillway: stderr: the ring is full and the output is too slow (5 MB/s in, 1.25 MB/s out): 1234 lines (56.8 kB) overwritten since 10:00:00.123Z; the last error was: cannot write: disk full",
  ],
  [
    { ...LOSS, event: "loss_end" },
    "spillway: stderr: no more lines are lost: 1234 lines (56.8 kB) were overwritten in 1m 1s; --capacity 21MiB would have held the worst burst",
  ],
  [
    { ...LOSS, event: "loss_end", capacityNeededBytes: 3e9 },
    "spillway: stderr: no more lines are lost: 1234 lines (56.8 kB) were overwritten in 1m 1s; no --capacity would have held the worst burst (3 GB): only a faster output helps",
  ],
  [
    { timeMs, event: "stall", route: stalled(HALF_FULL).routes[0]!, sinceMs: START_MS },
    "spillway: the output has taken nothing for 1m 31s; the ring is 50% full",
  ],
  [
    {
      timeMs: START_MS + 1500,
      event: "stall",
      route: stalled(HALF_FULL, inputOf({}, "stderr")).routes[0]!,
      sinceMs: START_MS,
    },
    "spillway: the output has taken nothing for 1.5 s; the ring of stdout is 50% full, the ring of stderr is 0% full",
  ],
  [
    {
      timeMs,
      event: "stall_end",
      route: stalled(HALF_FULL).routes[0]!,
      sinceMs: START_MS,
    },
    "spillway: the output takes data again after 1m 31s",
  ],
  [
    {
      timeMs,
      event: "sink_failing",
      message: 'cannot write to "x": disk full',
      bufferedBytes: 0n,
    },
    'spillway: cannot write to "x": disk full; trying again, new lines are kept in memory',
  ],
  [
    { timeMs, event: "sink_recovered", output: '"x"', sinceMs: START_MS, retries: 1 },
    'spillway: "x" works again after 1m 31s and 1 attempt',
  ],
  [{ timeMs, event: "error", message: "it broke" }, "spillway: it broke"],
  [
    { timeMs, event: "error", message: "the server said \x1b[2J\nspillway: all is well" },
    "spillway: the server said \\x1b[2J\\x0aspillway: all is well",
  ],
];

for (const [event, sentence] of SENTENCES) {
  Deno.test(`text: ${sentence}`, () => assertEquals(toText(event), sentence));
}

Deno.test("an input that is the only one needs no label", () => {
  const toWords = (event: ReportEvent) => toText(event, undefined, true);
  assertEquals(
    toWords({ ...LOSS, event: "loss", repeated: false }),
    "spillway: the ring is full and the output is too slow (5 MB/s in, 1.25 MB/s out): 1234 lines (56.8 kB) overwritten since 10:00:00.123Z",
  );
  assertEquals(
    toWords({ ...LOSS, event: "loss_end" }),
    "spillway: no more lines are lost: 1234 lines (56.8 kB) were overwritten in 1m 1s; --capacity 21MiB would have held the worst burst",
  );
  assertEquals(
    toWords({ timeMs, event: "input_notice", input: "stdout", message: "it is back" }),
    "spillway: it is back",
  );
  const seen = snapshot(1, [inputOf({})]);
  assertEquals(
    toWords({ timeMs, event: "status", snapshot: seen }).split("\n")[1],
    "spillway: ring 0% of 16MiB full, 0 B/s in, 0 B/s out",
  );
});

const ONE = inputOf({ linesIn: 1n, bytesIn: 10n, linesOut: 1n, bytesOut: 10n });
const MANY = inputOf({
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

function summary(event: "status" | "summary", ...inputs: ReturnType<typeof inputOf>[]) {
  return toText({ timeMs, event, snapshot: snapshot(1.5, inputs) });
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
  const left = inputOf({ linesIn: 1n, bytesIn: 3n, bytesOut: 3n, linesBuffered: 1n });
  assert(summary("summary", left).includes("1 line (0 B) left unwritten"));
});

Deno.test("the status says how the output and the rings are before it counts", () => {
  const input = inputOf({ bytesBuffered: BigInt(4 * MIB), inBytesPerSecond: 1e6 });
  const text = toText({ timeMs, event: "status", snapshot: stalled(input) });
  assertEquals(text.split("\n").slice(0, 2), [
    "spillway: the output has taken nothing for 1m 31s",
    "spillway: stdout: ring 25% of 16MiB full, 1 MB/s in, 0 B/s out",
  ]);
});

Deno.test("the status of a failing output says what it said last", () => {
  const seen = snapshot(90.5, [inputOf({})], FAILING);
  assertEquals(
    toText({ timeMs, event: "status", snapshot: seen }).split("\n")[0],
    "spillway: the output has failed for 1m 31s, tried again 3 times since the start: cannot write: disk full",
  );
});
