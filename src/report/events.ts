/** What can be said on standard error; `text.ts` and `json.ts` say it. */

import type { Counts } from "./board.ts";

/** One input's counters, at one moment. */
export interface InputCounts extends Counts {
  readonly label: string;
}

/** All that can be known of the data path, at one moment. */
export interface Snapshot {
  /** Milliseconds since 1970. */
  readonly timeMs: number;
  readonly inputs: readonly InputCounts[];
  /** Since when the output has not taken what it was given. */
  readonly writingSinceMs: number | undefined;
}

export type ReportEvent =
  & { readonly timeMs: number }
  & (
    | {
      /** Lines are being lost; or it has stopped, for a whole report interval. */
      readonly event: "loss" | "loss_end";
      readonly input: string;
      readonly reason: "overwritten" | "dropped";
      /** Since `sinceMs`. */
      readonly lines: bigint;
      readonly bytes: bigint;
      readonly sinceMs: number;
      readonly untilMs: number;
    }
    | {
      /** The output takes nothing; or it does again. */
      readonly event: "stall" | "stall_end";
      readonly output: string;
      readonly sinceMs: number;
    }
    /** Something about an input that a person should know; it goes on. */
    | {
      readonly event: "input_notice";
      readonly input: string;
      readonly message: string;
    }
    | { readonly event: "sink_failing"; readonly message: string }
    | { readonly event: "sink_recovered"; readonly output: string }
    | { readonly event: "rotation_failing"; readonly message: string }
    | { readonly event: "error"; readonly message: string }
    | {
      readonly event: "status" | "summary";
      readonly durationMs: number;
      readonly inputs: readonly InputCounts[];
    }
  );

/** The sum over all inputs. */
export function total(inputs: readonly InputCounts[]): Counts {
  const sum: Record<string, bigint> = {};
  for (const { label: _, ...counts } of inputs) {
    for (const [name, value] of Object.entries(counts)) {
      sum[name] = (sum[name] ?? 0n) + value;
    }
  }
  return sum as unknown as Counts;
}
