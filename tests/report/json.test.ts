import { assert, assertEquals } from "@std/assert";
import type { ReportEvent } from "../../src/report/events.ts";
import { toJson } from "../../src/report/json.ts";
import { RECIPES } from "../readme/documents.ts";
import { CAPACITY_BYTES, inputOf, outputOf, snapshot, START_MS } from "./snapshots.ts";

const timeMs = START_MS + 2500;
const TIME = "2026-11-22T10:00:02.500Z";

const OBJECTS: readonly (readonly [ReportEvent, unknown])[] = [
  [
    {
      timeMs,
      event: "loss",
      repeated: false,
      input: inputOf({ inBytesPerSecond: 12.5, outBytesPerSecond: 2 }, 'odd "label"'),
      output: outputOf({
        failingSinceMs: START_MS,
        retries: 7,
        lastError: { message: "it is full", timeMs: START_MS },
      }),
      reason: "dropped",
      lines: 3n,
      bytes: 2n ** 40n,
      sinceMs: START_MS,
      untilMs: START_MS + 1,
      capacityNeededBytes: 2 ** 41,
    },
    {
      time: TIME,
      event: "loss",
      input: 'odd "label"',
      reason: "dropped",
      lines: 3,
      bytes: 2 ** 40,
      since: "2026-11-22T10:00:00.000Z",
      until: "2026-11-22T10:00:00.001Z",
      capacity_needed_bytes: 2 ** 41,
      bytes_in_per_second: 13,
      bytes_out_per_second: 2,
      output: "the output",
      output_failing: true,
      output_retries: 7,
      output_last_error: "it is full",
      output_last_error_time: "2026-11-22T10:00:00.000Z",
    },
  ],
  [
    {
      timeMs,
      event: "stall",
      route: snapshot(2.5, [inputOf({ bytesBuffered: 99n })]).routes[0]!,
      sinceMs: START_MS,
    },
    {
      time: TIME,
      event: "stall",
      output: "the output",
      since: "2026-11-22T10:00:00.000Z",
      duration_ms: 2500,
      inputs: [{ input: "stdout", bytes_buffered: 99, capacity_bytes: CAPACITY_BYTES }],
    },
  ],
  [
    { timeMs, event: "others", of: "loss", count: 997, lines: 5n, bytes: 2n ** 40n },
    { time: TIME, event: "others", of: "loss", count: 997, lines: 5, bytes: 2 ** 40 },
  ],
  [
    { timeMs, event: "sink_failing", message: "full\nand broken", bufferedBytes: 0n },
    { time: TIME, event: "sink_failing", message: "full\nand broken" },
  ],
  [
    { timeMs, event: "sink_recovered", output: "x", sinceMs: START_MS, retries: 3 },
    {
      time: TIME,
      event: "sink_recovered",
      output: "x",
      since: "2026-11-22T10:00:00.000Z",
      duration_ms: 2500,
      retries: 3,
    },
  ],
  [
    { timeMs, event: "rotation_recovered", message: "it is rotated again" },
    { time: TIME, event: "rotation_recovered", message: "it is rotated again" },
  ],
  [
    { timeMs, event: "error", message: "it broke" },
    { time: TIME, event: "error", message: "it broke" },
  ],
];

Deno.test("json: the events and their fields are those that are documented", async () => {
  const source = await Deno.readTextFile(
    new URL("../../src/report/json.ts", import.meta.url),
  );
  const made = [...source.matchAll(/^ {4}case "(\w+)":$/gm)].map(([, event]) => event);
  const [, text = ""] = RECIPES.split("\n## Reports for programs\n");
  const [events, status = ""] = text.split("\n## ");
  const listed = [...events!.matchAll(/^- (.*?):/gm)].flatMap(([, names]) =>
    namesIn(names!)
  );
  assertEquals(listed.sort(), made.sort());
  const fields = new Set(namesIn(events + status));
  for (const [, object] of OBJECTS) {
    for (const field of Object.keys(object as object)) assert(fields.has(field), field);
  }
});

function namesIn(markdown: string): string[] {
  return [...markdown.matchAll(/`(\w+)`/g)].map(([, name]) => name!);
}

for (const [event, object] of OBJECTS) {
  Deno.test(`json: ${event.event} is one object on one line`, () => {
    const line = toJson(event);
    assert(!line.includes("\n"));
    assertEquals(JSON.parse(line), object);
  });
}

const COUNTS = {
  linesIn: 28n,
  bytesIn: 280n,
  linesOut: 7n,
  bytesOut: 70n,
  linesOverwritten: 6n,
  bytesOverwritten: 60n,
  linesDropped: 5n,
  bytesDropped: 50n,
  linesRejected: 4n,
  bytesRejected: 40n,
  linesDamaged: 9n,
  bytesDamaged: 90n,
  linesRecovered: 3n,
  bytesRecovered: 30n,
  linesKept: 2n,
  bytesKept: 20n,
  linesBuffered: 7n,
  bytesBuffered: 70n,
};

/** What the JSON says of `COUNTS`, times `factor`. */
function counters(factor: number, left: "unflushed" | "buffered") {
  return {
    lines_in: 28 * factor,
    bytes_in: 280 * factor,
    lines_out: 7 * factor,
    bytes_out: 70 * factor,
    lines_overwritten: 6 * factor,
    bytes_overwritten: 60 * factor,
    lines_dropped: 5 * factor,
    bytes_dropped: 50 * factor,
    lines_rejected: 4 * factor,
    bytes_rejected: 40 * factor,
    lines_damaged: 9 * factor,
    bytes_damaged: 90 * factor,
    lines_recovered: 3 * factor,
    bytes_recovered: 30 * factor,
    lines_kept: 2 * factor,
    bytes_kept: 20 * factor,
    [`lines_${left}`]: 7 * factor,
    [`bytes_${left}`]: 70 * factor,
  };
}

const INPUTS = [inputOf(COUNTS, "stdout"), inputOf(COUNTS, "stderr")];

Deno.test("json: the summary has every counter, in all and per input", () => {
  const line = toJson({ timeMs, event: "summary", snapshot: snapshot(2.5, INPUTS) });
  assertEquals(JSON.parse(line), {
    time: TIME,
    event: "summary",
    ...counters(2, "unflushed"),
    duration_ms: 2500,
    inputs: [
      { input: "stdout", ...counters(1, "unflushed") },
      { input: "stderr", ...counters(1, "unflushed") },
    ],
  });
});

Deno.test("json: the status has every counter, the rings, the rates and the output", () => {
  const seen = snapshot(2.5, INPUTS, { takesNothingSinceMs: START_MS + 1500 });
  const input = {
    ...counters(1, "buffered"),
    capacity_bytes: CAPACITY_BYTES,
    bytes_in_per_second: 0,
    bytes_out_per_second: 0,
  };
  assertEquals(JSON.parse(toJson({ timeMs, event: "status", snapshot: seen })), {
    time: TIME,
    event: "status",
    ...counters(2, "buffered"),
    duration_ms: 2500,
    output: "the output",
    output_failing: false,
    output_retries: 0,
    stalled_ms: 1000,
    inputs: [{ input: "stdout", ...input }, { input: "stderr", ...input }],
  });
});
