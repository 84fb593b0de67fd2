/**
 * The snapshot in Prometheus' text format 0.0.4:
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 */

import type { Container } from "../../containerd/container.ts";
import { type InputState, type Snapshot, stalledMs } from "../events.ts";
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
  const { inputs, capacityBytes, output } = snapshot;
  const each = (value: (input: InputState) => bigint | number): Sample[] =>
    inputs.map((input) => [{ input: input.label }, value(input)]);
  return [
    metric(
      "counter",
      "spillway_input_lines_total",
      "Lines read.",
      each((i) => i.linesIn),
    ),
    metric(
      "counter",
      "spillway_input_bytes_total",
      "Bytes read.",
      each((i) => i.bytesIn),
    ),
    metric(
      "counter",
      "spillway_output_lines_total",
      "Lines that the output has taken.",
      each((input) => input.linesOut),
    ),
    metric(
      "counter",
      "spillway_output_bytes_total",
      "Bytes of the input that the output has taken.",
      each((input) => input.bytesOut),
    ),
    metric(
      "counter",
      "spillway_lost_lines_total",
      "Lines that were read and will never come out.",
      inputs.flatMap((input) => lostSamples(input, "lines")),
    ),
    metric(
      "counter",
      "spillway_lost_bytes_total",
      "Bytes that were read and will never come out.",
      inputs.flatMap((input) => lostSamples(input, "bytes")),
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
      each(() => capacityBytes),
    ),
    metric(
      "gauge",
      "spillway_sink_up",
      "1 unless the output refuses what it is given, or has taken nothing for long.",
      [[{}, whyUnhealthy(snapshot) === undefined ? 1 : 0]],
    ),
    metric(
      "counter",
      "spillway_sink_retries_total",
      "Attempts that followed one that the output refused.",
      [[{}, output.retries]],
    ),
    metric(
      "gauge",
      "spillway_sink_stalled_seconds",
      "For how long the output has taken nothing of what it was given.",
      [[{}, stalledMs(snapshot) / 1000]],
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
  const { name, failingSinceMs, lastError } = snapshot.output;
  if (failingSinceMs !== undefined && lastError !== undefined) return lastError.message;
  const forMs = stalledMs(snapshot);
  return forMs < UNHEALTHY_STALL_MS
    ? undefined
    : `${name} has taken nothing for ${span(forMs)}`;
}

function lostSamples(input: InputState, unit: "lines" | "bytes"): Sample[] {
  const lost = {
    overwritten: input[`${unit}Overwritten`],
    dropped: input[`${unit}Dropped`],
    rejected: input[`${unit}Rejected`],
    // What is left behind is known when the program has ended, and is not scraped then.
    unflushed: 0n,
  };
  return Object.entries(lost).map((
    [reason, value],
  ) => [{ input: input.label, reason }, value]);
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
