import type { Container } from "../containerd/container.ts";
import { BUFFERED, COUNTERS, type Counts } from "../lane/counters.ts";
import { formatTime } from "../units.ts";
import {
  hasManyOutputs,
  type InputState,
  type OutputState,
  type ReportEvent,
  type Snapshot,
  stalledMs,
  totalOf,
} from "./events.ts";

/**
 * One JSON object, always with `time` and `event`, and with the container if any.
 * Sizes are bytes, rates bytes per second.
 */
export function toJson(event: ReportEvent, container?: Container): string {
  return JSON.stringify({
    time: formatTime(event.timeMs),
    event: event.event,
    ...(container && {
      container_id: container.id,
      container_namespace: container.namespace,
    }),
    ...fields(event),
  });
}

function fields(event: ReportEvent): Record<string, unknown> {
  switch (event.event) {
    case "loss":
    case "loss_end":
      return {
        input: event.input.label,
        reason: event.reason,
        lines: Number(event.lines),
        bytes: Number(event.bytes),
        since: formatTime(event.sinceMs),
        until: formatTime(event.untilMs),
        ...(event.reason !== "rejected" && {
          capacity_needed_bytes: event.capacityNeededBytes,
        }),
        ...rates(event.input),
        ...outputState(event.output),
      };
    case "stall":
    case "stall_end":
      return {
        output: event.route.output.name,
        since: formatTime(event.sinceMs),
        duration_ms: event.timeMs - event.sinceMs,
        inputs: event.route.inputs.map(ring),
      };
    case "others":
      return {
        of: event.of,
        count: event.count,
        lines: Number(event.lines),
        bytes: Number(event.bytes),
      };
    case "input_notice":
      return { input: event.input, message: event.message };
    case "recovered":
      return {
        input: event.input,
        lines: event.lines,
        bytes: event.bytes,
        run: event.run,
        since: formatTime(event.sinceMs),
        file: event.file,
        max_repeated_bytes: event.maxRepeatedBytes,
      };
    case "keep_notice":
    case "output_notice":
    case "sink_failing":
    case "sink_rejecting":
    case "rotation_failing":
    case "rotation_recovered":
    case "error":
      return { message: event.message };
    case "sink_recovered":
      return {
        output: event.output,
        since: formatTime(event.sinceMs),
        duration_ms: event.timeMs - event.sinceMs,
        retries: event.retries,
      };
    case "reports_left_out":
      return { count: event.count };
    case "listening":
      return { url: event.url };
    case "status":
      return {
        ...totals(event.snapshot, "buffered"),
        ...outputs(event.snapshot),
        inputs: eachInput(event.snapshot, (input) => ({
          ...ring(input),
          ...counters(input, "buffered"),
          ...rates(input),
        })),
      };
    case "summary":
      return {
        ...totals(event.snapshot, "unflushed"),
        inputs: eachInput(event.snapshot, (input) => ({
          input: input.label,
          ...counters(input, "unflushed"),
        })),
      };
  }
}

/** What an input is called that has not come out, before the end and at the end. */
type Rest = "buffered" | "unflushed";

function totals(snapshot: Snapshot, rest: Rest) {
  const { timeMs, startMs, gone } = snapshot;
  return {
    ...counters(totalOf(snapshot), rest),
    duration_ms: timeMs - startMs,
    ...(gone && { inputs_gone: { count: gone.inputs, ...counters(gone, rest) } }),
  };
}

/** Where there are several outputs, each input says which is its own. */
function eachInput(
  snapshot: Snapshot,
  fields: (input: InputState) => Record<string, unknown>,
): Record<string, unknown>[] {
  const many = hasManyOutputs(snapshot);
  return snapshot.routes.flatMap(({ inputs, output }) =>
    inputs.map((input) => ({
      ...fields(input),
      ...(many && { output: output.name }),
    }))
  );
}

/** The one output beside the totals; several as a list. */
function outputs(snapshot: Snapshot): Record<string, unknown> {
  const all = snapshot.routes.map(({ output }) => ({
    ...outputState(output),
    stalled_ms: stalledMs(snapshot, output),
  }));
  return hasManyOutputs(snapshot) ? { outputs: all } : all[0]!;
}

function ring(input: InputState) {
  return {
    input: input.label,
    bytes_buffered: Number(input.bytesBuffered),
    capacity_bytes: input.capacityBytes,
  };
}

function rates({ inBytesPerSecond, outBytesPerSecond }: InputState) {
  return {
    bytes_in_per_second: Math.round(inBytesPerSecond),
    bytes_out_per_second: Math.round(outBytesPerSecond),
  };
}

function outputState({ name, failingSinceMs, retries, lastError }: OutputState) {
  return {
    output: name,
    output_failing: failingSinceMs !== undefined,
    output_retries: retries,
    ...(lastError === undefined ? {} : {
      output_last_error: lastError.message,
      output_last_error_time: formatTime(lastError.timeMs),
    }),
  };
}

function counters(counts: Counts, rest: Rest): Record<string, number> {
  const all: Record<string, number> = {};
  for (const { name, lines, bytes } of [...COUNTERS, { ...BUFFERED, name: rest }]) {
    all[`lines_${name}`] = Number(counts[lines]);
    all[`bytes_${name}`] = Number(counts[bytes]);
  }
  return all;
}
