/**
 * The snapshot in Prometheus' text format 0.0.4, or in OpenMetrics 1.0:
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 * https://prometheus.io/docs/specs/om/open_metrics_spec/
 */

import type { Container } from "../../containerd/container.ts";
import { COUNTERS } from "../../lane/counters.ts";
import {
  hasManyOutputs,
  type InputState,
  type OutputState,
  type Snapshot,
  stalledMs,
} from "../events.ts";
import type { ProcessUsage } from "../../system/process_usage.ts";
import { span } from "../quantities.ts";
import { MetricText } from "./metric_text.ts";

const encoder = new TextEncoder();

/** In which of two formats, as a scraper asks for it. */
export type MetricsFormat = "prometheus" | "openmetrics";

export const METRICS_TYPES: Record<MetricsFormat, string> = {
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

/** An output that has taken nothing for so long is not healthy. */
export const UNHEALTHY_STALL_MS = 30_000;

/**
 * As they are written, but for the brace at their end; empty where there are none. They are
 * made once for all samples of an input.
 */
type Labels = Uint8Array;
/** Adds a sample of a metric. @param end what follows the labels, if there are any */
type Add = (labels: Labels, value: bigint | number, end?: Uint8Array) => void;
/** Adds all samples of a metric: with a thousand inputs there are no lists of them. */
type Samples = (add: Add) => void;

/** The command whose lines these are. */
export interface Watched {
  readonly name: string;
  /** Undefined while it runs. */
  readonly exitStatus: number | undefined;
}

/** What is said beside the snapshot. */
export interface Surroundings {
  /** Of `build_info`. */
  readonly build: { readonly version: string; readonly runtime: string };
  readonly process: ProcessUsage;
  readonly container?: Container | undefined;
  readonly command?: Watched | undefined;
}

/** All metrics, in UTF-8. Counters have all their digits; a reader may not keep them. */
export function toMetrics(
  snapshot: Snapshot,
  surroundings: Surroundings,
  format: MetricsFormat = "prometheus",
): Uint8Array<ArrayBuffer> {
  const text = new MetricText();
  for (const metric of [...dataPath(snapshot), ...around(snapshot, surroundings)]) {
    write(metric, format, text);
  }
  if (format === "openmetrics") text.add(encoder.encode("# EOF\n"));
  return text.bytes;
}

function dataPath(snapshot: Snapshot): Metric[] {
  const { routes } = snapshot;
  const inputs = eachInput(snapshot);
  const each = (value: (input: InputState) => bigint | number): Samples => (add) => {
    for (const [labels, input] of inputs) add(labels, value(input));
  };
  const outputs = routes.map(({ output }) =>
    [labelled(outputLabel(snapshot, output)), output] as const
  );
  const eachOutput = (value: (output: OutputState) => number): Samples => (add) => {
    for (const [labels, output] of outputs) add(labels, value(output));
  };
  return [
    ...COUNTED.flatMap((counter) =>
      UNITS.map((unit) => {
        const { name, help } = counter.metric;
        const key = counter[unit];
        return metric(
          "counter",
          `spillway_${name}_${unit}_total`,
          `${capitalized(unit)} ${help}.`,
          each((input) => input[key]),
        );
      })
    ),
    ...UNITS.map((unit) =>
      metric(
        "counter",
        `spillway_lost_${unit}_total`,
        `${capitalized(unit)} that were read and will never come out.`,
        (add) => inputs.forEach((input) => addLost(input, unit, add)),
      )
    ),
    metric(
      "gauge",
      "spillway_buffered_bytes",
      "Bytes read that the output has not taken yet.",
      each((input) => input.bytesBuffered),
    ),
    metric(
      "gauge",
      "spillway_capacity_bytes",
      "Bytes that the ring can keep.",
      each((input) => input.capacityBytes),
    ),
    metric(
      "gauge",
      "spillway_sink_up",
      "1 unless the output refuses what it is given, or has taken nothing for long.",
      eachOutput((output) => whyUnwell(snapshot, output) === undefined ? 1 : 0),
    ),
    metric(
      "counter",
      "spillway_sink_retries_total",
      "Attempts that followed one that the output refused.",
      eachOutput(({ retries }) => retries),
    ),
    metric(
      "gauge",
      "spillway_sink_stalled_seconds",
      "For how long the output has taken nothing of what it was given.",
      eachOutput((output) => stalledMs(snapshot, output) / 1000),
    ),
  ];
}

/** The program itself, by the names that every client library has for it. */
function around(
  { startMs }: Snapshot,
  { build, process, container, command }: Surroundings,
): Metric[] {
  const single = (value: number, labels = labelled({})): Samples => (add) =>
    add(labels, value);
  const { openFiles } = process;
  return [
    metric(
      "gauge",
      "spillway_build_info",
      "Always 1.",
      single(1, labelled({ ...build })),
    ),
    ...container === undefined ? [] : [
      metric(
        "gauge",
        "spillway_container_info",
        "Always 1.",
        single(
          1,
          labelled({
            container_id: container.id,
            container_namespace: container.namespace,
          }),
        ),
      ),
    ],
    ...command === undefined ? [] : [
      metric(
        "gauge",
        "spillway_command_info",
        "Always 1.",
        single(1, labelled({ command: command.name })),
      ),
    ],
    metric(
      "counter",
      "process_cpu_seconds_total",
      "Processor time of all threads.",
      single(process.cpuSeconds),
    ),
    metric(
      "gauge",
      "process_resident_memory_bytes",
      "Memory that is in use.",
      single(process.residentBytes),
    ),
    metric(
      "gauge",
      "process_virtual_memory_bytes",
      "Address space; the runtime reserves far more than it uses.",
      single(process.virtualBytes),
    ),
    metric(
      "gauge",
      "process_start_time_seconds",
      "When the program was started, in seconds since 1970.",
      single(startMs / 1000),
    ),
    ...openFiles === undefined ? [] : [
      metric("gauge", "process_open_fds", "Open descriptors.", single(openFiles)),
    ],
    metric(
      "gauge",
      "process_max_fds",
      "How many descriptors may be open.",
      single(process.maxOpenFiles),
    ),
  ];
}

/** What a person reads of an answer. */
const MAX_REASONS = 20;

/**
 * Why the data path is not well, or the command; undefined while it flushes or has
 * nothing to do.
 */
export function whyUnhealthy(
  snapshot: Snapshot,
  command?: Watched,
): string | undefined {
  const reasons = [
    ...command?.exitStatus === undefined
      ? []
      : [`${command.name} has ended with status ${command.exitStatus}`],
    ...snapshot.routes.map(({ output }) => whyUnwell(snapshot, output)),
  ].filter((reason) => reason !== undefined);
  if (reasons.length === 0) return undefined;
  const others = reasons.length - MAX_REASONS;
  return [
    ...reasons.slice(0, MAX_REASONS),
    ...(others > 0 ? [`and ${others} other outputs`] : []),
  ].join("\n");
}

function whyUnwell(snapshot: Snapshot, output: OutputState): string | undefined {
  const { name, failingSinceMs, lastError } = output;
  if (failingSinceMs !== undefined && lastError !== undefined) return lastError.message;
  const forMs = stalledMs(snapshot, output);
  return forMs < UNHEALTHY_STALL_MS
    ? undefined
    : `${name} has taken nothing for ${span(forMs)}`;
}

/** Each input with its labels; which output it has is said where there are several. */
function eachInput(snapshot: Snapshot): (readonly [Labels, InputState])[] {
  return snapshot.routes.flatMap(({ inputs, output }) =>
    inputs.map((input) =>
      [labelled({ input: input.label, ...outputLabel(snapshot, output) }), input] as const
    )
  );
}

function outputLabel(snapshot: Snapshot, { name }: OutputState) {
  return hasManyOutputs(snapshot) ? { output: name } : {};
}

const UNITS = ["lines", "bytes"] as const;
type Unit = typeof UNITS[number];

const COUNTED = COUNTERS.filter((counter) => "metric" in counter);
const LOST = COUNTERS.filter((counter) => "lost" in counter)
  .map((counter) => ({ ...counter, end: reasonEnd(counter.name) }));
/** What is left behind is known when the program has ended, and is not scraped then. */
const UNFLUSHED_END = reasonEnd("unflushed");

function reasonEnd(reason: string): Uint8Array {
  return encoder.encode(`,reason="${reason}"} `);
}

function capitalized(unit: Unit): string {
  return unit === "lines" ? "Lines" : "Bytes";
}

function addLost(
  [labels, input]: readonly [Labels, InputState],
  unit: Unit,
  add: Add,
): void {
  for (const counter of LOST) {
    add(labels, input[counter[unit]], counter.end);
  }
  add(labels, 0n, UNFLUSHED_END);
}

interface Metric {
  readonly type: "counter" | "gauge";
  readonly name: string;
  readonly help: string;
  readonly samples: Samples;
}

function metric(
  type: Metric["type"],
  name: string,
  help: string,
  samples: Samples,
): Metric {
  return { type, name, help, samples };
}

const LABELS_END = encoder.encode("} ");
const NO_LABELS_END = encoder.encode(" ");

/** In OpenMetrics a counter's family has its name without `_total`. */
function write(
  { type, name, help, samples }: Metric,
  format: MetricsFormat,
  text: MetricText,
): void {
  const family = format === "openmetrics" ? name.replace(/_total$/, "") : name;
  text.add(encoder.encode(`# HELP ${family} ${help}\n# TYPE ${family} ${type}\n`));
  const encodedName = encoder.encode(name);
  samples((labels, value, end = LABELS_END) => {
    text.add(encodedName);
    text.add(labels);
    text.add(labels.length === 0 ? NO_LABELS_END : end);
    text.addValue(value);
  });
}

function labelled(labels: Readonly<Record<string, string>>): Labels {
  const pairs = Object.entries(labels).map(([name, value]) =>
    `${name}="${escapeLabel(value)}"`
  );
  return encoder.encode(pairs.length === 0 ? "" : `{${pairs.join(",")}`);
}

function escapeLabel(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
