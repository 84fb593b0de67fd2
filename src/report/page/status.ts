/** What the server says, as far as the page shows it: /status.json and /history.json. */

/** Counted since the start. */
export interface Counters {
  readonly lines_in: number;
  readonly bytes_in: number;
  readonly lines_out: number;
  readonly bytes_out: number;
  readonly lines_overwritten: number;
  readonly bytes_overwritten: number;
  readonly lines_dropped: number;
  readonly bytes_dropped: number;
  readonly lines_rejected: number;
  readonly bytes_rejected: number;
  readonly lines_damaged: number;
  readonly bytes_damaged: number;
}

export interface InputStatus extends Counters {
  readonly input: string;
  /** Its own output's name, where there are several outputs. */
  readonly output?: string;
  readonly bytes_buffered: number;
  readonly capacity_bytes: number;
  readonly bytes_in_per_second: number;
  readonly bytes_out_per_second: number;
}

export interface OutputStatus {
  readonly output: string;
  readonly output_failing: boolean;
  readonly output_last_error?: string;
  readonly output_last_error_time?: string;
  readonly stalled_ms: number;
}

/** With one output it is part of the status; several are a list. */
export type Status =
  & Counters
  & {
    readonly time: string;
    readonly duration_ms: number;
    readonly inputs: readonly InputStatus[];
  }
  & (OutputStatus | { readonly outputs: readonly OutputStatus[] });

export function outputsOf(status: Status): readonly OutputStatus[] {
  return "outputs" in status ? status.outputs : [status];
}

/** One second: when it ended, bytes in and out per second, bytes that were lost in it. */
export type Point = readonly [timeMs: number, in_: number, out: number, lost: number];

export interface LastLoss {
  readonly input: string;
  readonly lines: number;
  readonly bytes: number;
  readonly since: string;
  readonly until: string;
  /** Not known while it has only just begun. */
  readonly capacity_needed_bytes?: number;
}

/** The last two minutes, and what does not change. */
export interface History {
  readonly host: string;
  readonly command: string;
  readonly max_capacity_bytes: number;
  readonly points: readonly Point[];
  /** By label; left out where there are many inputs. */
  readonly inputs?: Readonly<Record<string, readonly Point[]>>;
  readonly last_loss?: LastLoss;
}
