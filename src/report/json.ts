import type { Container } from "../containerd/container.ts";
import { type Counts, total } from "../lane/counts.ts";
import {
  type InputState,
  type OutputState,
  type ReportEvent,
  type Snapshot,
  stalledMs,
} from "./events.ts";

/**
 * One JSON object, always with `time` and `event`, and with the container if any.
 * Sizes are bytes, rates bytes per second.
 */
export function toJson(event: ReportEvent, container?: Container): string {
  return JSON.stringify({
    time: iso(event.timeMs),
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
        since: iso(event.sinceMs),
        until: iso(event.untilMs),
        capacity_needed_bytes: event.capacityNeededBytes,
        ...rates(event.input),
        ...outputState(event.output),
      };
    case "stall":
    case "stall_end":
      return {
        output: event.snapshot.output.name,
        since: iso(event.sinceMs),
        duration_ms: event.timeMs - event.sinceMs,
        inputs: event.snapshot.inputs.map((input) => ring(input, event.snapshot)),
      };
    case "input_notice":
      return { input: event.input, message: event.message };
    case "sink_failing":
    case "sink_rejecting":
    case "rotation_failing":
    case "rotation_recovered":
    case "error":
      return { message: event.message };
    case "sink_recovered":
      return {
        output: event.output,
        since: iso(event.sinceMs),
        duration_ms: event.timeMs - event.sinceMs,
        retries: event.retries,
      };
    case "listening":
      return { url: event.url };
    case "status":
      return {
        ...totals(event.snapshot, "buffered"),
        ...outputState(event.snapshot.output),
        stalled_ms: stalledMs(event.snapshot),
        inputs: event.snapshot.inputs.map((input) => ({
          ...ring(input, event.snapshot),
          ...counters(input, "buffered"),
          ...rates(input),
        })),
      };
    case "summary":
      return {
        ...totals(event.snapshot, "unflushed"),
        inputs: event.snapshot.inputs.map((input) => ({
          input: input.label,
          ...counters(input, "unflushed"),
        })),
      };
  }
}

/** What an input is called that has not come out, before the end and at the end. */
type Rest = "buffered" | "unflushed";

function totals({ inputs, timeMs, startMs }: Snapshot, rest: Rest) {
  return { ...counters(total(inputs), rest), duration_ms: timeMs - startMs };
}

function ring(input: InputState, { capacityBytes }: Snapshot) {
  return {
    input: input.label,
    bytes_buffered: Number(input.bytesBuffered),
    capacity_bytes: capacityBytes,
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
      output_last_error_time: iso(lastError.timeMs),
    }),
  };
}

function counters(counts: Counts, rest: Rest): Record<string, number> {
  return {
    lines_in: Number(counts.linesIn),
    bytes_in: Number(counts.bytesIn),
    lines_out: Number(counts.linesOut),
    bytes_out: Number(counts.bytesOut),
    lines_overwritten: Number(counts.linesOverwritten),
    bytes_overwritten: Number(counts.bytesOverwritten),
    lines_dropped: Number(counts.linesDropped),
    bytes_dropped: Number(counts.bytesDropped),
    lines_rejected: Number(counts.linesRejected),
    bytes_rejected: Number(counts.bytesRejected),
    [`lines_${rest}`]: Number(counts.linesBuffered),
    [`bytes_${rest}`]: Number(counts.bytesBuffered),
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
