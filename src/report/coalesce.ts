import type { ReportEvent } from "./events.ts";

/** So many of a kind are reported one by one when they come together, the rest in one. */
export const MAX_TOLD = 3;

/** What can happen to a thousand inputs or outputs in the same moment. */
const KINDS = [
  "loss",
  "loss_end",
  "stall",
  "stall_end",
  "sink_failing",
  "sink_recovered",
  "sink_rejecting",
  "rotation_failing",
  "rotation_recovered",
  "input_notice",
  "output_notice",
  "error",
] as const satisfies readonly ReportEvent["event"][];

export type CoalescedKind = typeof KINDS[number];
type Coalesced = Extract<ReportEvent, { readonly event: CoalescedKind }>;

export function isCoalesced(event: ReportEvent): event is Coalesced {
  return (KINDS as readonly string[]).includes(event.event);
}

/**
 * What is said at one moment, so that a thousand inputs that lose lines together do not
 * say a thousand things: of each kind the worst, and how many others there are.
 */
export function coalesce(events: readonly ReportEvent[]): ReportEvent[] {
  const kinds = Map.groupBy(events, ({ event }) => event);
  return Array.from(kinds.values()).flatMap((alike) =>
    // What is not one of these kinds is never so much.
    alike.every(isCoalesced) && alike.length > MAX_TOLD + 1 ? worstOf(alike) : alike
  );
}

function worstOf(events: readonly Coalesced[]): ReportEvent[] {
  const sorted = events.toSorted((one, other) =>
    Number(weightOf(other) - weightOf(one)) || sinceOf(one) - sinceOf(other)
  );
  const others = sorted.slice(MAX_TOLD);
  const { timeMs, event } = sorted[0]!;
  return [...sorted.slice(0, MAX_TOLD), {
    timeMs,
    event: "others",
    of: event,
    count: others.length,
    lines: others.reduce((sum, event) => sum + ("lines" in event ? event.lines : 0n), 0n),
    bytes: others.reduce((sum, event) => sum + ("bytes" in event ? event.bytes : 0n), 0n),
  }];
}

/** What was lost, or waits for an output that fails. */
function weightOf(event: Coalesced): bigint {
  if (event.event === "sink_failing") return event.bufferedBytes;
  return "bytes" in event ? event.bytes : 0n;
}

function sinceOf(event: Coalesced): number {
  return "sinceMs" in event ? event.sinceMs : event.timeMs;
}
