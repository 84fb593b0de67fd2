/**
 * The snapshot in Prometheus' text format 0.0.4:
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 */

import type { Container } from "../../containerd/container.ts";
import { type CounterName, COUNTERS, type Counts } from "../../lane/counters.ts";
import {
  type InputState,
  type OutputState,
  type Snapshot,
  stalledMs,
} from "../events.ts";
import { span } from "../quantities.ts";

export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** An output that has taken nothing for so long is not healthy. */
export const UNHEALTHY_STALL_MS = 30_000;

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [Labels, bigint | number];

/** All metrics. Counters have all their digits; who reads them may not keep them. */
export function toMetrics(
  snapshot: Snapshot,
  version: string,
  container?: Container,
): string {
  const { routes } = snapshot;
  const each = (value: (input: InputState) => bigint | number): Sample[] =>
    eachInput(snapshot).map(([labels, input]) => [labels, value(input)]);
  const eachOutput = (value: (output: OutputState) => number): Sample[] =>
    routes.map(({ output }) => [outputLabels(snapshot, output), value(output)]);
  return [
    ...COUNTED.flatMap(({ name, metric: { name: what, help } }) =>
      UNITS.map((unit) =>
        metric(
          "counter",
          `spillway_${what}_${unit}_total`,
          `${capitalized(unit)} ${help}.`,
          each((input) => input[keyOf(name, unit)]),
        )
      )
    ),
    ...UNITS.map((unit) =>
      metric(
        "counter",
        `spillway_lost_${unit}_total`,
        `${capitalized(unit)} that were read and will never come out.`,
        eachInput(snapshot).flatMap((input) => lostSamples(input, unit)),
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
    metric("gauge", "spillway_build_info", "Always 1.", [[{ version }, 1]]),
    ...container === undefined ? [] : [
      metric("gauge", "spillway_container_info", "Always 1.", [[{
        container_id: container.id,
        container_namespace: container.namespace,
      }, 1]]),
    ],
  ].join("");
}

/** Why the data path is not well; undefined while it flushes or has nothing to do. */
export function whyUnhealthy(snapshot: Snapshot): string | undefined {
  const reasons = snapshot.routes
    .map(({ output }) => whyUnwell(snapshot, output))
    .filter((reason) => reason !== undefined);
  return reasons.length === 0 ? undefined : reasons.join("\n");
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
      [{ input: input.label, ...outputLabels(snapshot, output) }, input] as const
    )
  );
}

function outputLabels({ routes }: Snapshot, { name }: OutputState): Labels {
  return routes.length > 1 ? { output: name } : {};
}

const UNITS = ["lines", "bytes"] as const;
type Unit = typeof UNITS[number];

const COUNTED = COUNTERS.filter((counter) => "metric" in counter);
const LOST = COUNTERS.filter((counter) => "lost" in counter);

function keyOf(name: CounterName, unit: Unit): keyof Counts {
  return COUNTERS.find((counter) => counter.name === name)![unit];
}

function capitalized(unit: Unit): string {
  return unit === "lines" ? "Lines" : "Bytes";
}

function lostSamples(
  [labels, input]: readonly [Labels, InputState],
  unit: Unit,
): Sample[] {
  return [
    ...LOST.map(({ name }): Sample => [
      { ...labels, reason: name },
      input[keyOf(name, unit)],
    ]),
    // What is left behind is known when the program has ended, and is not scraped then.
    [{ ...labels, reason: "unflushed" }, 0n],
  ];
}

function metric(
  type: "counter" | "gauge",
  name: string,
  help: string,
  samples: readonly Sample[],
): string {
  const lines = samples.map(([labels, value]) => `${name}${labelSet(labels)} ${value}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}

function labelSet(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) =>
    `${name}="${escapeLabel(value)}"`
  );
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escapeLabel(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
