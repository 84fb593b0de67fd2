import type { Container } from "../containerd/container.ts";
import type { Counts } from "./board.ts";
import { type InputCounts, type ReportEvent, total } from "./events.ts";

/** One JSON object, always with `time` and `event`, and with the container if any. */
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
        input: event.input,
        reason: event.reason,
        lines: Number(event.lines),
        bytes: Number(event.bytes),
        since: iso(event.sinceMs),
        until: iso(event.untilMs),
      };
    case "stall":
    case "stall_end":
      return {
        output: event.output,
        since: iso(event.sinceMs),
        duration_ms: event.timeMs - event.sinceMs,
      };
    case "input_notice":
      return { input: event.input, message: event.message };
    case "sink_failing":
    case "rotation_failing":
    case "error":
      return { message: event.message };
    case "sink_recovered":
      return { output: event.output };
    case "status":
    case "summary": {
      const atExit = event.event === "summary";
      return {
        ...counters(total(event.inputs), atExit),
        duration_ms: event.durationMs,
        inputs: event.inputs.map((input: InputCounts) => ({
          input: input.label,
          ...counters(input, atExit),
        })),
      };
    }
  }
}

/** At exit nothing is buffered any more: what was left behind is unflushed. */
function counters(counts: Counts, atExit: boolean): Record<string, number> {
  const left = atExit ? "unflushed" : "buffered";
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
    [`lines_${left}`]: Number(counts.linesBuffered),
    [`bytes_${left}`]: Number(counts.bytesBuffered),
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
