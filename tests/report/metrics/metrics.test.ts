import { assert, assertEquals } from "@std/assert";
import { formatFor } from "../../../src/report/metrics/accept.ts";
import {
  type MetricsFormat,
  type Surroundings,
  toMetrics,
  UNHEALTHY_STALL_MS,
  whyUnhealthy,
} from "../../../src/report/metrics/metrics.ts";
import type { Snapshot } from "../../../src/report/events.ts";
import { CAPACITY_BYTES, inputOf, snapshot, START_MS } from "../snapshots.ts";

const SURROUNDINGS = {
  build: { version: "1.2.3", runtime: "Deno 2.4.2" },
  process: {
    cpuSeconds: 1.25,
    residentBytes: 70e6,
    virtualBytes: 9e9,
    openFiles: 33,
    maxOpenFiles: Infinity,
  },
};

function textOf(
  snapshot: Snapshot,
  surroundings: Surroundings,
  format?: MetricsFormat,
): string {
  return new TextDecoder().decode(toMetrics(snapshot, surroundings, format));
}

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
  const text = textOf(
    snapshot(10, [input], { takesNothingSinceMs: START_MS + 7500, retries: 5 }),
    SURROUNDINGS,
  );
  assertEquals(samplesOf(text), [
    'spillway_input_lines_total{input="app"} 10',
    'spillway_input_bytes_total{input="app"} 1152921504606846977',
    'spillway_recovered_lines_total{input="app"} 0',
    'spillway_recovered_bytes_total{input="app"} 0',
    'spillway_output_lines_total{input="app"} 3',
    'spillway_output_bytes_total{input="app"} 30',
    'spillway_lost_lines_total{input="app",reason="overwritten"} 4',
    'spillway_lost_lines_total{input="app",reason="dropped"} 1',
    'spillway_lost_lines_total{input="app",reason="rejected"} 2',
    'spillway_lost_lines_total{input="app",reason="damaged"} 0',
    'spillway_lost_lines_total{input="app",reason="unflushed"} 0',
    'spillway_lost_bytes_total{input="app",reason="overwritten"} 40',
    'spillway_lost_bytes_total{input="app",reason="dropped"} 10',
    'spillway_lost_bytes_total{input="app",reason="rejected"} 20',
    'spillway_lost_bytes_total{input="app",reason="damaged"} 0',
    'spillway_lost_bytes_total{input="app",reason="unflushed"} 0',
    'spillway_buffered_bytes{input="app"} 7',
    `spillway_capacity_bytes{input="app"} ${CAPACITY_BYTES}`,
    "spillway_sink_up 1",
    "spillway_sink_retries_total 5",
    "spillway_sink_stalled_seconds 2.5",
    'spillway_build_info{version="1.2.3",runtime="Deno 2.4.2"} 1',
    "process_cpu_seconds_total 1.25",
    "process_resident_memory_bytes 70000000",
    "process_virtual_memory_bytes 9000000000",
    `process_start_time_seconds ${START_MS / 1000}`,
    "process_open_fds 33",
    "process_max_fds +Inf",
  ]);
  for (const name of new Set(samplesOf(text).map((line) => /^\w+/.exec(line)![0]))) {
    const type = name.endsWith("_total") ? "counter" : "gauge";
    assert(text.includes(`# HELP ${name} `) && text.includes(`# TYPE ${name} ${type}\n`));
  }
});

Deno.test("several inputs are several samples of one metric", () => {
  const text = textOf(snapshot(1, [inputOf({}, "a"), inputOf({}, "b")]), SURROUNDINGS);
  assertEquals(text.match(/^spillway_buffered_bytes\{input="[ab]"\} 0$/gm)?.length, 2);
  assertEquals(text.match(/^# TYPE spillway_buffered_bytes /gm)?.length, 1);
});

Deno.test("the labels of an input are made once, however many samples it has", () => {
  let asked = 0;
  const inputs = Array.from({ length: 3 }, (_, index) => ({
    ...inputOf({}),
    get label() {
      asked++;
      return `é"${index}`;
    },
  }));
  const samples = samplesOf(textOf(snapshot(1, inputs), SURROUNDINGS));
  assertEquals(asked, inputs.length);
  const ofSecond = samples.filter((sample) => sample.includes('input="é\\"1"'));
  assertEquals(ofSecond.length, 18);
  assert(
    ofSecond.includes('spillway_lost_lines_total{input="é\\"1",reason="dropped"} 0'),
  );
});

Deno.test("a logging binary's metrics say whose they are", () => {
  const container = { id: "web-1", namespace: "shop" };
  assertEquals(
    samplesOf(textOf(snapshot(1, []), { ...SURROUNDINGS, container })).includes(WHOSE),
    true,
  );
});

Deno.test("a command's metrics say whose they are, and its health when it has ended", () => {
  const seen = snapshot(1, [inputOf({})]);
  const command = { name: '/app "a"', exitStatus: undefined };
  const samples = samplesOf(textOf(seen, { ...SURROUNDINGS, command }));
  const whose = 'spillway_command_info{command="/app \\"a\\""} 1';
  assertEquals(samples.filter((line) => line.startsWith("spillway_command")), [whose]);
  assertEquals(whyUnhealthy(seen, command), undefined);
  const ended = { name: "/app", exitStatus: 0 };
  assertEquals(whyUnhealthy(seen, ended), "/app has ended with status 0");
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
    const up = samplesOf(textOf(seen, SURROUNDINGS)).find((line) => /sink_up/.test(line));
    assertEquals(up, `spillway_sink_up ${reason === undefined ? 1 : 0}`);
  });
}

Deno.test("of many outputs that take nothing some are named, and the others counted", () => {
  const [route] = snapshot(60, [], longStall).routes;
  const routes = Array.from({ length: 100 }, (_, number) => ({
    ...route!,
    number,
    output: { ...route!.output, name: `out${number}` },
  }));
  const reasons = whyUnhealthy({ ...snapshot(60, []), routes })!.split("\n");
  assertEquals(reasons.length, 21);
  assertEquals(reasons[0]!.startsWith("out0 has taken nothing for "), true);
  assertEquals(reasons.at(-1), "and 80 other outputs");
});

Deno.test("OpenMetrics calls a counter's family without _total, and has an end", () => {
  const text = textOf(snapshot(1, [inputOf({}, "a")]), SURROUNDINGS, "openmetrics");
  assert(text.endsWith("\n# EOF\n"));
  assert(text.includes("# TYPE spillway_input_lines counter\n"));
  assert(text.includes('\nspillway_input_lines_total{input="a"} 0\n'));
  assert(text.includes("# TYPE process_cpu_seconds counter\n"));
  assert(!/# (TYPE|HELP) \w+_total/.test(text));
  assert(!/\n\n/.test(text));
});

/** What scrapers send, and what they get. */
const ACCEPTED = [
  ["", "prometheus"],
  ["*/*", "prometheus"],
  ["text/plain", "prometheus"],
  ["application/openmetrics-text; version=1.0.0", "openmetrics"],
  ["application/openmetrics-text", "openmetrics"],
  ["application/openmetrics-text; version=9.0.0", "prometheus"],
  ["application/openmetrics-text;q=0", "prometheus"],
  [
    "application/openmetrics-text;version=1.0.0;q=0.75,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=0.0.4;q=0.25,*/*;q=0.1",
    "openmetrics",
  ],
  ["Application/OpenMetrics-Text;q=0.2, text/plain;q=0.9", "prometheus"],
] as const;

for (const [accept, format] of ACCEPTED) {
  Deno.test(`"${accept}" asks for ${format}`, () => {
    assertEquals(formatFor(accept), format);
  });
}
