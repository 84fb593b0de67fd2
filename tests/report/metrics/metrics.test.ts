import { assert, assertEquals } from "@std/assert";
import {
  toMetrics,
  UNHEALTHY_STALL_MS,
  whyUnhealthy,
} from "../../../src/report/metrics/metrics.ts";
import { CAPACITY_BYTES, inputOf, snapshot, START_MS } from "../snapshots.ts";

/** The samples, without comments. */
function samplesOf(text: string): string[] {
  return text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

Deno.test("every metric has its help, its type and all its samples", () => {
  const input = inputOf({
    linesIn: 10n,
    bytesIn: 2n ** 60n + 1n,
    linesOut: 3n,
    bytesOut: 30n,
    linesOverwritten: 4n,
    bytesOverwritten: 40n,
    linesDropped: 1n,
    bytesDropped: 10n,
    linesRejected: 2n,
    bytesRejected: 20n,
    bytesBuffered: 7n,
  }, "app");
  const text = toMetrics(
    snapshot(10, [input], { takesNothingSinceMs: START_MS + 7500, retries: 5 }),
    "1.2.3",
  );
  assertEquals(samplesOf(text), [
    'spillway_input_lines_total{input="app"} 10',
    'spillway_input_bytes_total{input="app"} 1152921504606846977',
    'spillway_output_lines_total{input="app"} 3',
    'spillway_output_bytes_total{input="app"} 30',
    'spillway_lost_lines_total{input="app",reason="overwritten"} 4',
    'spillway_lost_lines_total{input="app",reason="dropped"} 1',
    'spillway_lost_lines_total{input="app",reason="rejected"} 2',
    'spillway_lost_lines_total{input="app",reason="unflushed"} 0',
    'spillway_lost_bytes_total{input="app",reason="overwritten"} 40',
    'spillway_lost_bytes_total{input="app",reason="dropped"} 10',
    'spillway_lost_bytes_total{input="app",reason="rejected"} 20',
    'spillway_lost_bytes_total{input="app",reason="unflushed"} 0',
    'spillway_buffered_bytes{input="app"} 7',
    `spillway_capacity_bytes{input="app"} ${CAPACITY_BYTES}`,
    "spillway_sink_up 1",
    "spillway_sink_retries_total 5",
    "spillway_sink_stalled_seconds 2.5",
    'spillway_build_info{version="1.2.3"} 1',
  ]);
  for (const name of new Set(samplesOf(text).map((line) => /^\w+/.exec(line)![0]))) {
    const type = name.endsWith("_total") ? "counter" : "gauge";
    assert(text.includes(`# HELP ${name} `) && text.includes(`# TYPE ${name} ${type}\n`));
  }
});

Deno.test("several inputs are several samples of one metric", () => {
  const text = toMetrics(snapshot(1, [inputOf({}, "a"), inputOf({}, "b")]), "1");
  assertEquals(text.match(/^spillway_buffered_bytes\{input="[ab]"\} 0$/gm)?.length, 2);
  assertEquals(text.match(/^# TYPE spillway_buffered_bytes /gm)?.length, 1);
});

Deno.test("a logging binary's metrics say whose they are", () => {
  const container = { id: "web-1", namespace: "shop" };
  assertEquals(samplesOf(toMetrics(snapshot(1, []), "1", container)).at(-1), WHOSE);
});

const WHOSE =
  'spillway_container_info{container_id="web-1",container_namespace="shop"} 1';

const FAILING = {
  failingSinceMs: START_MS,
  lastError: { message: "cannot write: disk full", timeMs: START_MS },
};
const longStall = { takesNothingSinceMs: START_MS - UNHEALTHY_STALL_MS };

const HEALTH = [
  ["idle", {}, undefined],
  [
    "a short stall",
    { takesNothingSinceMs: START_MS - UNHEALTHY_STALL_MS + 1 },
    undefined,
  ],
  ["a long stall", longStall, "the output has taken nothing for 30.0 s"],
  ["a failing output", FAILING, "cannot write: disk full"],
] as const;

for (const [state, output, reason] of HEALTH) {
  Deno.test(`health: ${state} is ${reason === undefined ? "well" : "not well"}`, () => {
    const seen = snapshot(0, [inputOf({})], output);
    assertEquals(whyUnhealthy(seen), reason);
    const up = samplesOf(toMetrics(seen, "1")).find((line) => /sink_up/.test(line));
    assertEquals(up, `spillway_sink_up ${reason === undefined ? 1 : 0}`);
  });
}
