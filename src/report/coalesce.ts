import type { ReportEvent } from "./events.ts";

/** Of a kind that come together, so many are reported one by one, and the rest in one. */
const MAX_TOLD = 3;

export type CoalescedKind = "loss" | "loss_end" | "stall" | "stall_end";
type Coalesced = Extract<ReportEvent, { readonly event: CoalescedKind }>;

/**
 * What is said at one moment, so that a thousand inputs that lose lines together do not
 * say a thousand things: of each kind the worst, and how many others there are.
 */
export function coalesce(events: readonly ReportEvent[]): ReportEvent[] {
  const kinds = Map.groupBy(events, ({ event }) => event);
  return Array.from(kinds.values()).flatMap((alike) =>
    // What is not one of these kinds is never so much.
    isCoalesced(alike) && alike.length > MAX_TOLD + 1 ? worstOf(alike) : alike
  );
}

function isCoalesced(events: readonly ReportEvent[]): events is Coalesced[] {
  return ["loss", "loss_end", "stall", "stall_end"].includes(events[0]!.event);
}

function worstOf(events: readonly Coalesced[]): ReportEvent[] {
  const sorted = events.toSorted((one, other) =>
    Number(bytesOf(other) - bytesOf(one)) || one.sinceMs - other.sinceMs
  );
  const others = sorted.slice(MAX_TOLD);
  const { timeMs, event } = sorted[0]!;
  return [...sorted.slice(0, MAX_TOLD), {
    timeMs,
    event: "others",
    of: event,
    count: others.length,
    lines: others.reduce((sum, event) => sum + ("lines" in event ? event.lines : 0n), 0n),
    bytes: others.reduce((sum, event) => sum + bytesOf(event), 0n),
  }];
}

function bytesOf(event: Coalesced): bigint {
  return "bytes" in event ? event.bytes : 0n;
}
