import { type Container, nameOf } from "../containerd/container.ts";
import { MAX_CAPACITY } from "../lane/lane.ts";
import type { CoalescedKind } from "./coalesce.ts";
import { formatSize, formatTime, roundUpSize } from "../units.ts";
import { BUFFERED, COUNTERS, type Counts, lost, total } from "../lane/counters.ts";
import {
  inputsOf,
  type InputState,
  type Loss,
  type OutputState,
  type ReportEvent,
  type RouteState,
  type Snapshot,
  stalledMs,
  totalOf,
} from "./events.ts";
import { printable } from "./printable.ts";
import { amount, clock, percent, rate, size, span } from "./quantities.ts";
import { STALL_MS } from "./reporter.ts";

/**
 * Sentences that start with `spillway: `, a line each.
 *
 * @param container named in each, where many write into one log
 * @param onlyInput there is no other input, so its label would say nothing
 */
export function toText(
  event: ReportEvent,
  container?: Container,
  onlyInput = false,
): string {
  const prefix = `spillway: ${container ? `${nameOf(container)}: ` : ""}`;
  const labelled = (label: string) => onlyInput ? "" : `${label}: `;
  return sentences(event, labelled).map((sentence) => prefix + printable(sentence))
    .join("\n");
}

/** What a sentence about one input begins with. */
type Labelled = (label: string) => string;

function sentences(event: ReportEvent, labelled: Labelled): string[] {
  switch (event.event) {
    case "loss":
      return [labelled(event.input.label) + lossBegins(event, event.repeated)];
    case "loss_end":
      return [labelled(event.input.label) + lossEnds(event)];
    case "stall":
      return [stall(event.route, event.timeMs - event.sinceMs)];
    case "stall_end":
      return [
        `${event.route.output.name} takes data again after ${
          span(event.timeMs - event.sinceMs)
        }`,
      ];
    case "others":
      return [others(event.of, event.count, amount(event.lines, event.bytes))];
    case "input_notice":
      return [labelled(event.input) + event.message];
    case "sink_failing":
      return [`${event.message}; trying again, new lines are kept in memory`];
    case "sink_rejecting":
      return [`${event.message}; such lines are counted as rejected`];
    case "sink_recovered":
      return [
        `${event.output} works again after ${span(event.timeMs - event.sinceMs)} and ${
          event.retries === 1 ? "1 attempt" : `${event.retries} attempts`
        }`,
      ];
    case "recovered":
      return [labelled(event.input) + recovered(event)];
    case "keep_notice":
    case "output_notice":
    case "rotation_failing":
    case "rotation_recovered":
    case "error":
      return [event.message];
    case "reports_left_out":
      return [
        `${
          event.count === 1 ? "1 report was" : `${event.count} reports were`
        } left out because standard error was blocked`,
      ];
    case "listening":
      return [`metrics and a live page at ${event.url}`];
    case "status":
      return status(event.snapshot, labelled);
    case "summary":
      return summary(event.snapshot, true);
  }
}

function recovered(
  { lines, bytes, sinceMs, maxRepeatedBytes }: Extract<
    ReportEvent,
    { readonly event: "recovered" }
  >,
): string {
  const found = `recovered ${amount(BigInt(lines), BigInt(bytes))} that the run of ${
    formatTime(sinceMs)
  } had left`;
  return maxRepeatedBytes === 0
    ? found
    : `${found}; up to ${size(maxRepeatedBytes)} of it may come twice`;
}

function others(kind: CoalescedKind, count: number, lost: string): string {
  switch (kind) {
    case "loss":
      return `${count} other inputs lose lines, too: ${lost} so far`;
    case "loss_end":
      return `${count} other inputs lose no more lines, either: ${lost} were lost`;
    case "stall":
      return `${count} other outputs have taken nothing, either`;
    case "stall_end":
      return `${count} other outputs take data again, too`;
    case "sink_failing":
      return `${count} other outputs fail, too; they are tried again as well`;
    case "sink_recovered":
      return `${count} other outputs work again, too`;
    case "sink_rejecting":
      return `${count} other outputs reject lines, too`;
    case "rotation_failing":
      return `${count} other files cannot be rotated or reopened, either`;
    case "rotation_recovered":
      return `${count} other files can be rotated or reopened again, too`;
    case "input_notice":
    case "output_notice":
      return `${count} more notices like these at the same time`;
    case "error":
      return `${count} more errors at the same time`;
  }
}

function lossBegins(loss: Loss, repeated: boolean): string {
  if (loss.reason === "rejected") return rejection(loss);
  const { input, output } = loss;
  const rates = `${rate(input.inBytesPerSecond)} in, ${
    rate(input.outBytesPerSecond)
  } out`;
  const parts = [
    `the ring is full and ${output.name} is too slow (${rates}): ${
      amount(loss.lines, loss.bytes)
    } ${loss.reason} since ${clock(loss.sinceMs)}`,
  ];
  // Right after the first loss nobody knows yet what the burst will need.
  if (repeated) parts.push(capacityAdvice(loss.capacityNeededBytes, "this burst so far"));
  if (output.failingSinceMs !== undefined && output.lastError !== undefined) {
    parts.push(`the last error was: ${output.lastError.message}`);
  }
  return parts.join("; ");
}

/** No capacity would have helped: the output does not want these lines. */
function rejection({ lines, bytes, output, sinceMs }: Loss): string {
  const rejected = `${output.name} has rejected ${amount(lines, bytes)} since ${
    clock(sinceMs)
  }`;
  return output.lastError === undefined
    ? rejected
    : `${rejected}; it said last: ${output.lastError.message}`;
}

function lossEnds(loss: Loss): string {
  if (loss.reason === "rejected") {
    return `${loss.output.name} rejects no more lines: it has rejected ${
      amount(loss.lines, loss.bytes)
    } in ${span(loss.untilMs - loss.sinceMs)}`;
  }
  // Not between two times of day: those of the marker, which are when lines came in, are
  // others.
  return `no more lines are lost: ${
    amount(loss.lines, loss.bytes)
  } were ${loss.reason} in ${span(loss.untilMs - loss.sinceMs)}; ${
    capacityAdvice(loss.capacityNeededBytes, "the worst burst")
  }`;
}

/** What would have helped. The advice is a little generous, and easy to type. */
function capacityAdvice(neededBytes: number, what: string): string {
  const capacity = roundUpSize(neededBytes);
  if (capacity > MAX_CAPACITY) {
    return `no --capacity would have held ${what} (${
      size(neededBytes)
    }): only a faster output helps`;
  }
  return `--capacity ${formatSize(capacity)} would have held ${what}`;
}

function stall({ inputs, output }: RouteState, forMs: number): string {
  const rings = inputs.map((input) =>
    `the ring${inputs.length === 1 ? "" : ` of ${input.label}`} is ${fill(input)} full`
  );
  return `${output.name} has taken nothing for ${span(forMs)}; ${rings.join(", ")}`;
}

function fill({ bytesBuffered, capacityBytes }: InputState): string {
  return percent(Number(bytesBuffered), capacityBytes);
}

/** How the output does, each input's ring and rates, and the counters. */
function status(snapshot: Snapshot, labelled: Labelled): string[] {
  const [worst, others] = split(
    snapshot.routes,
    ({ output }) => stalledMs(snapshot, output),
  );
  const routes = worst.flatMap(({ inputs, output }) => [
    outputStatus(output, snapshot),
    ...split(inputs, fullness)[0].map((input) =>
      `${labelled(input.label)}ring ${fill(input)} of ${
        formatSize(input.capacityBytes)
      } full, ${rate(input.inBytesPerSecond)} in, ${rate(input.outBytesPerSecond)} out`
    ),
  ]);
  if (others.length > 0) {
    routes.push(`${others.length} other outputs: --metrics and --report json show all`);
  }
  return [...routes, ...summary(snapshot, false)];
}

/** So many inputs or outputs are named one by one. */
const MAX_NAMED = 10;

/** All, as they come, where they are few; or the worst, and the rest. */
function split<T>(all: readonly T[], badness: (one: T) => number): [T[], T[]] {
  if (all.length <= MAX_NAMED + 1) return [[...all], []];
  const sorted = all.toSorted((one, other) => badness(other) - badness(one));
  return [sorted.slice(0, MAX_NAMED), sorted.slice(MAX_NAMED)];
}

function fullness({ bytesBuffered, capacityBytes }: InputState): number {
  return Number(bytesBuffered) / capacityBytes;
}

function outputStatus(output: OutputState, snapshot: Snapshot): string {
  const { name, failingSinceMs, lastError, retries } = output;
  if (failingSinceMs !== undefined && lastError !== undefined) {
    const forMs = snapshot.timeMs - failingSinceMs;
    return `${name} has failed for ${
      span(forMs)
    }, tried again ${retries} times since the start: ${lastError.message}`;
  }
  const forMs = stalledMs(snapshot, output);
  const state = forMs < STALL_MS
    ? `${name} takes what it is given`
    : `${name} has taken nothing for ${span(forMs)}`;
  if (lastError === undefined) return state;
  return `${state}; its last error was at ${
    clock(lastError.timeMs)
  }: ${lastError.message}`;
}

function summary(snapshot: Snapshot, atExit: boolean): string[] {
  const { timeMs, startMs, gone } = snapshot;
  const inputs = inputsOf(snapshot);
  const all = `${tally(totalOf(snapshot), atExit)}, in ${span(timeMs - startMs)}`;
  if (inputs.length === 1 && gone === undefined) return [all];
  const [worst, others] = split(inputs, (input) => Number(lost(input).bytes));
  const rest = `${others.length} other inputs: ${tally(total(others), atExit)}`;
  return [
    ...worst.map((input) => `${input.label}: ${tally(input, atExit)}`),
    ...(others.length > 0 ? [rest] : []),
    ...(gone ? [`inputs that have gone, ${gone.inputs}: ${tally(gone, atExit)}`] : []),
    `all inputs: ${all}`,
  ];
}

/** What came in, and what became of it. */
function tally(counts: Counts, atExit: boolean): string {
  const rest = { ...BUFFERED, name: atExit ? "left unwritten" : "in memory" };
  const parts: string[] = [];
  for (const { name, lines, bytes } of [...COUNTERS, rest]) {
    // What came in and what went out is always said.
    const said = name === "in" || name === "out";
    if (!said && counts[lines] === 0n && counts[bytes] === 0n) continue;
    parts.push(`${amount(counts[lines], counts[bytes])} ${name}`);
  }
  return parts.join(", ");
}
