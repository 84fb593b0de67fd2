import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { viewOf } from "../../../src/report/page/state.ts";
import type {
  InputStatus,
  OutputStatus,
  Status,
} from "../../../src/report/page/status.ts";

const KIB = 1024;
const NOTHING = {
  lines_in: 0,
  bytes_in: 0,
  lines_out: 0,
  bytes_out: 0,
  lines_overwritten: 0,
  bytes_overwritten: 0,
  lines_dropped: 0,
  bytes_dropped: 0,
  lines_rejected: 0,
  bytes_rejected: 0,
  lines_damaged: 0,
  bytes_damaged: 0,
};

function inputOf(input: string, state: Partial<InputStatus> = {}): InputStatus {
  return {
    ...NOTHING,
    input,
    bytes_buffered: 0,
    capacity_bytes: 64 * KIB,
    bytes_in_per_second: 0,
    bytes_out_per_second: 0,
    ...state,
  };
}

const OUTPUT: OutputStatus = {
  output: "standard output",
  output_failing: false,
  stalled_ms: 0,
};

function statusOf(
  seconds: number,
  inputs: readonly InputStatus[],
  output: Partial<OutputStatus> = {},
): Status {
  return {
    ...NOTHING,
    lines_overwritten: inputs.reduce((sum, input) => sum + input.lines_overwritten, 0),
    time: new Date(seconds * 1000).toISOString(),
    duration_ms: seconds * 1000,
    inputs,
    ...OUTPUT,
    ...output,
  };
}

Deno.test("rates are over the time that has passed, whatever the clock says", () => {
  const before = statusOf(7200, [inputOf("a", { bytes_in: 100 })]);
  const now = statusOf(7202, [inputOf("a", { bytes_in: 300 })]);
  const setBack = { ...now, time: new Date(3602 * 1000).toISOString() };
  for (const seen of [now, setBack]) {
    assertEquals(viewOf(seen, before).total.inPerSecond, 100);
  }
});

type Look = readonly [Partial<InputStatus>, Partial<OutputStatus>];

/** What one input does from one look to the next, and what is said of it. */
const STATES: readonly (readonly [string, Look, Look, string, string])[] = [
  ["rests", [{}, {}], [{}, {}], "idle", "idle"],
  ["reads", [{}, {}], [{ bytes_in: 10, bytes_out: 10 }, {}], "flowing", "good"],
  [
    "only writes",
    [{ bytes_in: 9 }, {}],
    [{ bytes_in: 9, bytes_out: 9 }, {}],
    "flowing",
    "good",
  ],
  [
    "holds a little",
    [{}, {}],
    [{ bytes_buffered: 10 }, {}],
    "waiting for the output",
    "good",
  ],
  [
    "is nearly full",
    [{}, {}],
    [{ bytes_in: 9, bytes_buffered: 60 * KIB }, {}],
    "ring 93% full",
    "warn",
  ],
  [
    "holds more than its capacity, in a thread's hand",
    [{}, {}],
    [{ bytes_in: 9, bytes_buffered: 70 * KIB }, {}],
    "ring 100% full",
    "warn",
  ],
  [
    "loses",
    [{ bytes_buffered: 64 * KIB }, {}],
    [{ bytes_in: 9, bytes_overwritten: 9, bytes_buffered: 64 * KIB }, {}],
    "losing lines",
    "bad",
  ],
  [
    "has lost before",
    [{ bytes_dropped: 9 }, {}],
    [{ bytes_dropped: 9 }, {}],
    "idle",
    "idle",
  ],
  [
    "stalls",
    [{}, {}],
    [{ bytes_in: 9 }, { stalled_ms: 3210 }],
    "stalled for 3.2 s",
    "warn",
  ],
  [
    "stalls and loses",
    [{}, {}],
    [{ bytes_in: 9, bytes_rejected: 1 }, { stalled_ms: 3210 }],
    "stalled for 3.2 s, losing lines",
    "bad",
  ],
  [
    "has lost lines with the machine",
    [{}, {}],
    [{ bytes_damaged: 1 }, {}],
    "losing lines",
    "bad",
  ],
  [
    "fails",
    [{}, {}],
    [{}, { output_failing: true, stalled_ms: 9999 }],
    "output fails",
    "bad",
  ],
];

for (const [what, [one, oneOutput], [two, twoOutput], words, tone] of STATES) {
  Deno.test(`the page says of an input that ${what}: ${words}`, () => {
    const before = statusOf(1, [inputOf("a", one)], oneOutput);
    const { total, rows } = viewOf(statusOf(2, [inputOf("a", two)], twoOutput), before);
    assertEquals([rows[0]!.words, rows[0]!.tone], [words, tone]);
    assertEquals([total.words, total.tone], [words, tone]);
  });
}

const counted = fc.record({
  bytes_in: fc.nat(1000),
  bytes_out: fc.nat(1000),
  bytes_overwritten: fc.nat(3),
  bytes_buffered: fc.nat(100 * KIB),
});

Deno.test("the page's words never contradict its numbers", () => {
  fc.assert(fc.property(counted, counted, fc.nat(5000), (first, more, stalled_ms) => {
    const second = {
      bytes_in: first.bytes_in + more.bytes_in,
      bytes_out: first.bytes_out + more.bytes_out,
      bytes_overwritten: first.bytes_overwritten + more.bytes_overwritten,
      bytes_buffered: more.bytes_buffered,
    };
    const before = statusOf(1, [inputOf("a", first)]);
    const status = statusOf(2, [inputOf("a", second)], { stalled_ms });
    const [row] = viewOf(status, before).rows;
    const moves = row!.inPerSecond > 0 || row!.outPerSecond > 0;
    assert(row!.share <= 1);
    if (row!.words === "idle") assert(!moves && row!.share === 0);
    if (row!.words === "flowing") assert(moves && row!.share < 0.9);
    assertEquals(row!.words.includes("losing"), more.bytes_overwritten > 0);
    assertEquals(row!.tone === "bad", more.bytes_overwritten > 0);
  }));
});

Deno.test("the page puts the worst of a thousand inputs first, and sums them all", () => {
  const quiet = Array.from({ length: 997 }, (_, index) => inputOf(`quiet-${index}`));
  const busy = inputOf("busy", { bytes_in: 500, bytes_out: 500 });
  const full = inputOf("full", { bytes_in: 100, bytes_buffered: 64 * KIB });
  const losing = inputOf("losing", {
    bytes_in: 100,
    bytes_overwritten: 50,
    lines_overwritten: 5,
  });
  const before = statusOf(1, ["busy", "full", "losing"].map((label) => inputOf(label)));
  const { rows, total } = viewOf(statusOf(2, [...quiet, busy, full, losing]), before);
  assertEquals(rows.slice(0, 3).map(({ label }) => label), ["losing", "full", "busy"]);
  assertEquals([rows.length, total.inPerSecond, total.outPerSecond], [1000, 700, 500]);
  assertEquals([total.lostLines, total.words], [5, "losing lines"]);
});

Deno.test("the page says of each input how its own output does", () => {
  const { time, duration_ms } = statusOf(2, []);
  const status: Status = {
    ...NOTHING,
    time,
    duration_ms,
    inputs: [
      inputOf("a", { output: "a.log", bytes_in: 5 }),
      inputOf("b", { output: "b.log" }),
    ],
    outputs: [
      { ...OUTPUT, output: "a.log" },
      { ...OUTPUT, output: "b.log", stalled_ms: 2000 },
    ],
  };
  const { rows, total } = viewOf(status, statusOf(1, [inputOf("a"), inputOf("b")]));
  assertEquals(rows.map(({ label, words }) => [label, words]), [
    ["b", "stalled for 2.0 s"],
    ["a", "flowing"],
  ]);
  assertEquals(total.words, "stalled for 2.0 s");
});

Deno.test("the first look takes the rates that the server has measured", () => {
  const input = inputOf("a", { bytes_in: 9e9, bytes_in_per_second: 120 });
  const { rows } = viewOf(statusOf(1, [input]), undefined);
  assertEquals([rows[0]!.inPerSecond, rows[0]!.words], [120, "flowing"]);
});
