// @ts-types="./std_fmt_bytes.d.ts"
import { format as formatBytes } from "@std/fmt/bytes";
import { type Container, nameOf } from "../containerd/container.ts";
import type { Counts } from "./board.ts";
import { type ReportEvent, total } from "./events.ts";

/**
 * Sentences that start with `spillway: `, a line each.
 *
 * @param container named in each, where many write into one log
 */
export function toText(event: ReportEvent, container?: Container): string {
  const prefix = `spillway: ${container ? `${nameOf(container)}: ` : ""}`;
  return sentences(event).map((sentence) => prefix + sentence).join("\n");
}

function sentences(event: ReportEvent): string[] {
  switch (event.event) {
    case "loss":
      return [
        `${event.input}: the ring is full and the output is too slow: ${
          amount(event.lines, event.bytes)
        } ${event.reason} since ${clock(event.sinceMs)}`,
      ];
    case "loss_end":
      return [
        `${event.input}: no more lines are lost: ${
          amount(event.lines, event.bytes)
        } were ${event.reason} between ${clock(event.sinceMs)} and ${
          clock(event.untilMs)
        }`,
      ];
    case "stall":
      return [
        `${event.output} has taken nothing for ${seconds(event.timeMs - event.sinceMs)}`,
      ];
    case "stall_end":
      return [
        `${event.output} takes data again after ${seconds(event.timeMs - event.sinceMs)}`,
      ];
    case "input_notice":
      return [`${event.input}: ${event.message}`];
    case "sink_failing":
      return [`${event.message}; trying again, new lines are kept in memory`];
    case "sink_recovered":
      return [`${event.output} works again`];
    case "rotation_failing":
    case "error":
      return [event.message];
    case "status":
    case "summary": {
      const atExit = event.event === "summary";
      const all = `${tally(total(event.inputs), atExit)}, in ${
        seconds(event.durationMs)
      }`;
      if (event.inputs.length === 1) return [all];
      return [
        ...event.inputs.map((input) => `${input.label}: ${tally(input, atExit)}`),
        `all inputs: ${all}`,
      ];
    }
  }
}

/** What came in, and what became of it. */
function tally(counts: Counts, atExit: boolean): string {
  const parts = [
    `${amount(counts.linesIn, counts.bytesIn)} in`,
    `${amount(counts.linesOut, counts.bytesOut)} out`,
  ];
  const others = [
    ["overwritten", counts.linesOverwritten, counts.bytesOverwritten],
    ["dropped", counts.linesDropped, counts.bytesDropped],
    ["rejected", counts.linesRejected, counts.bytesRejected],
    [atExit ? "left unwritten" : "in memory", counts.linesBuffered, counts.bytesBuffered],
  ] as const;
  for (const [name, lines, bytes] of others) {
    if (bytes > 0n || lines > 0n) parts.push(`${amount(lines, bytes)} ${name}`);
  }
  return parts.join(", ");
}

function amount(lines: bigint, bytes: bigint): string {
  return `${lines} ${lines === 1n ? "line" : "lines"} (${formatBytes(Number(bytes))})`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** The time of day in UTC; the date is today's to whoever reads along. */
function clock(ms: number): string {
  return `${new Date(ms).toISOString().slice(11, 23)}Z`;
}
