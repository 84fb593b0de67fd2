/** What can be said on standard error; `text.ts` and `json.ts` say it. */

import { type Counts, total } from "../lane/counters.ts";
import type { CoalescedKind } from "./coalesce.ts";
import type { Shortfall } from "../lane/lane_counters.ts";

/** One input, at one moment. */
export interface InputState extends Counts {
  readonly label: string;
  /** Of its ring. */
  readonly capacityBytes: number;
  readonly shortfall: Shortfall;
  /** Over about the last second. */
  readonly inBytesPerSecond: number;
  readonly outBytesPerSecond: number;
}

/**
 * The output, at one moment; times are in milliseconds since 1970, by the clock as it
 * was then: they move with it when it is set.
 */
export interface OutputState {
  readonly name: string;
  /** Since when it has taken nothing of what it is given. */
  readonly takesNothingSinceMs: number | undefined;
  /** Since when it has refused everything with an error. */
  readonly failingSinceMs: number | undefined;
  readonly retries: number;
  /** The last error it gave, if it ever gave one. */
  readonly lastError: { readonly message: string; readonly timeMs: number } | undefined;
}

/** One output and the inputs that go to it, at one moment. */
export interface RouteState {
  /** The same from one snapshot to the next. */
  readonly number: number;
  readonly output: OutputState;
  readonly inputs: readonly InputState[];
}

/** All that can be known of the data path, at one moment. */
export interface Snapshot {
  /** Milliseconds since 1970. */
  readonly timeMs: number;
  readonly startMs: number;
  readonly routes: readonly RouteState[];
  /** Inputs with outputs of their own may come: there may be any number at a time. */
  readonly manyOutputs?: true;
  /** What was counted of inputs that have gone, if any have. */
  readonly gone?: GoneInputs;
}

/** Inputs that were read to their ends while others go on. */
export interface GoneInputs extends Counts {
  readonly inputs: number;
}

/** Every input, route by route. */
export function inputsOf({ routes }: Snapshot): InputState[] {
  return routes.flatMap(({ inputs }) => inputs);
}

/** What was counted of all inputs together, also of those that have gone. */
export function totalOf(snapshot: Snapshot): Counts {
  const inputs: Counts[] = inputsOf(snapshot);
  return total(snapshot.gone === undefined ? inputs : [...inputs, snapshot.gone]);
}

/** Why lines are lost: the ring was full, or the output has refused them. */
export type LossReason = "overwritten" | "dropped" | "rejected";

/** What one input has lost in a time. */
export interface Loss {
  readonly input: InputState;
  readonly output: OutputState;
  readonly reason: LossReason;
  /** Since `sinceMs`. */
  readonly lines: bigint;
  readonly bytes: bigint;
  readonly sinceMs: number;
  readonly untilMs: number;
  /** The capacity that would have held the worst burst; nothing helps what is rejected. */
  readonly capacityNeededBytes: number;
}

export type ReportEvent =
  & { readonly timeMs: number }
  & (
    /** Lines are being lost; `repeated` after the first of a row. */
    | (Loss & { readonly event: "loss"; readonly repeated: boolean })
    /** It has stopped, for a whole report interval. */
    | (Loss & { readonly event: "loss_end" })
    | {
      /** The output takes nothing; or it does again. */
      readonly event: "stall" | "stall_end";
      readonly route: RouteState;
      readonly sinceMs: number;
    }
    | {
      /** What the rest of the same kind come to, where many are reported at once. */
      readonly event: "others";
      readonly of: CoalescedKind;
      /** Inputs or outputs. */
      readonly count: number;
      readonly lines: bigint;
      readonly bytes: bigint;
    }
    | {
      readonly event: "sink_failing";
      readonly message: string;
      /** What waits for that output already. */
      readonly bufferedBytes: bigint;
    }
    | {
      readonly event: "sink_recovered";
      readonly output: string;
      readonly sinceMs: number;
      /** Since then. */
      readonly retries: number;
    }
    /** Standard error was blocked, and did not take so many reports. */
    | { readonly event: "reports_left_out"; readonly count: number }
    | { readonly event: "status" | "summary"; readonly snapshot: Snapshot }
    | Notice
  );

/** What is said when it happens, whatever the counters say. */
export type Notice =
  /** Something about an input that a person should know; it goes on. */
  | { readonly event: "input_notice"; readonly input: string; readonly message: string }
  /** Something about the output that a person should know; it goes on. */
  | { readonly event: "output_notice"; readonly message: string }
  /** The output will never take some lines. */
  | { readonly event: "sink_rejecting"; readonly message: string }
  | {
    readonly event: "rotation_failing" | "rotation_recovered";
    readonly message: string;
  }
  | { readonly event: "listening"; readonly url: string }
  /** What an earlier run of an input had left is delivered now. */
  | {
    readonly event: "recovered";
    readonly input: string;
    readonly lines: number;
    readonly bytes: number;
    readonly run: string;
    /** When that run had begun. */
    readonly sinceMs: number;
    readonly file: string;
    /** How much may come twice: what was being written when it ended may have arrived. */
    readonly maxRepeatedBytes: number;
  }
  /** A person should know something about what is kept. */
  | { readonly event: "keep_notice"; readonly message: string }
  /** An input, the output or this program fails for good. */
  | { readonly event: "error"; readonly message: string };

/** Whether an input has to say which output is its own. */
export function hasManyOutputs({ routes, manyOutputs }: Snapshot): boolean {
  return manyOutputs === true || routes.length > 1;
}

/** Milliseconds since the start, which no setting of the clock changes. */
export function uptimeMs({ timeMs, startMs }: Snapshot): number {
  return timeMs - startMs;
}

/** How long the output has taken nothing of what it was given; 0 when it does. */
export function stalledMs({ timeMs }: Snapshot, output: OutputState): number {
  const since = output.takesNothingSinceMs;
  return since === undefined ? 0 : timeMs - since;
}
