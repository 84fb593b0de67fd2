import { assert, assertEquals } from "@std/assert";
import type { ReportEvent } from "../../src/report/events.ts";
import { toJson } from "../../src/report/json.ts";
import { countsOf, START_MS } from "./snapshots.ts";

const timeMs = START_MS + 2500;
const TIME = "2026-11-22T10:00:02.500Z";

const OBJECTS: readonly (readonly [ReportEvent, unknown])[] = [
  [
    {
      timeMs,
      event: "loss",
      input: 'odd "label"',
      reason: "dropped",
      lines: 3n,
      bytes: 2n ** 40n,
      sinceMs: START_MS,
      untilMs: START_MS + 1,
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
    },
  ],
  [
    { timeMs, event: "stall", output: "standard output", sinceMs: START_MS },
    {
      time: TIME,
      event: "stall",
      output: "standard output",
      since: "2026-11-22T10:00:00.000Z",
      duration_ms: 2500,
    },
  ],
  [
    { timeMs, event: "sink_failing", message: "full\nand broken" },
    { time: TIME, event: "sink_failing", message: "full\nand broken" },
  ],
  [
    { timeMs, event: "sink_recovered", output: "x" },
    { time: TIME, event: "sink_recovered", output: "x" },
  ],
  [
    { timeMs, event: "error", message: "it broke" },
    { time: TIME, event: "error", message: "it broke" },
  ],
];

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
  linesBuffered: 6n,
  bytesBuffered: 60n,
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
    [`lines_${left}`]: 6 * factor,
    [`bytes_${left}`]: 60 * factor,
  };
}

for (const [event, left] of [["summary", "unflushed"], ["status", "buffered"]] as const) {
  Deno.test(`json: the ${event} has every counter, in all and per input`, () => {
    const inputs = [countsOf(COUNTS, "stdout"), countsOf(COUNTS, "stderr")];
    const line = toJson({ timeMs, event, durationMs: 1234, inputs });
    assertEquals(JSON.parse(line), {
      time: TIME,
      event,
      ...counters(2, left),
      duration_ms: 1234,
      inputs: [
        { input: "stdout", ...counters(1, left) },
        { input: "stderr", ...counters(1, left) },
      ],
    });
  });
}
