import type { InputCounts, ReportEvent, Snapshot } from "./events.ts";

/** An output that has taken nothing for so long is said to be stalled. */
export const STALL_MS = 1000;

interface LossState {
  lines: bigint;
  bytes: bigint;
  /** Where the loss that goes on began; undefined while nothing is being lost. */
  since: { lines: bigint; bytes: bigint; timeMs: number } | undefined;
  lastLossMs: number;
  lastReportMs: number;
  reportedBytes: bigint;
}

/**
 * Decides what is worth saying: a loss at once, then at most once an interval
 * while it goes on, then once when it has ended; a stall likewise. It sees the
 * data path only as a row of snapshots, and keeps no clock of its own.
 */
export class Reporter {
  readonly #output: string;
  readonly #reason: "overwritten" | "dropped";
  readonly #intervalMs: number;
  readonly #losses = new Map<string, LossState>();
  #lastSnapshotMs: number;
  /** What was out when the output was last seen to have taken something, and when. */
  #bytesOut = 0n;
  #lastTakenMs = -Infinity;
  #stalledSinceMs: number | undefined;
  #stallReportMs = 0;

  constructor(
    output: string,
    reason: "overwritten" | "dropped",
    intervalMs: number,
    startMs: number,
  ) {
    this.#output = output;
    this.#reason = reason;
    this.#intervalMs = intervalMs;
    this.#lastSnapshotMs = startMs;
  }

  /** What has become worth saying since the last snapshot. */
  observe(snapshot: Snapshot): ReportEvent[] {
    const events = snapshot.inputs.flatMap((input) => this.#observeLoss(input, snapshot));
    events.push(...this.#observeStall(snapshot));
    this.#lastSnapshotMs = snapshot.timeMs;
    return events;
  }

  #observeLoss(input: InputCounts, { timeMs }: Snapshot): ReportEvent[] {
    const state = this.#stateOf(input.label);
    const lines = input.linesOverwritten + input.linesDropped;
    const bytes = input.bytesOverwritten + input.bytesDropped;
    if (bytes > state.bytes) {
      state.since ??= {
        lines: state.lines,
        bytes: state.bytes,
        timeMs: this.#lastSnapshotMs,
      };
      state.lastLossMs = timeMs;
      state.lines = lines;
      state.bytes = bytes;
    }
    if (state.since === undefined) return [];
    const ended = timeMs - state.lastLossMs >= this.#intervalMs;
    const due = timeMs - state.lastReportMs >= this.#intervalMs &&
      state.bytes > state.reportedBytes;
    if (!ended && !due) return [];
    const event: ReportEvent = {
      timeMs,
      event: ended ? "loss_end" : "loss",
      input: input.label,
      reason: this.#reason,
      lines: state.lines - state.since.lines,
      bytes: state.bytes - state.since.bytes,
      sinceMs: state.since.timeMs,
      untilMs: state.lastLossMs,
    };
    state.lastReportMs = ended ? -Infinity : timeMs;
    state.reportedBytes = state.bytes;
    if (ended) state.since = undefined;
    return [event];
  }

  #stateOf(label: string): LossState {
    let state = this.#losses.get(label);
    if (state === undefined) {
      state = {
        lines: 0n,
        bytes: 0n,
        since: undefined,
        lastLossMs: 0,
        lastReportMs: -Infinity,
        reportedBytes: 0n,
      };
      this.#losses.set(label, state);
    }
    return state;
  }

  #observeStall(snapshot: Snapshot): ReportEvent[] {
    const { timeMs } = snapshot;
    const waitingSinceMs = this.#waitingSince(snapshot);
    const sinceMs = this.#stalledSinceMs;
    if (sinceMs !== undefined && sinceMs !== waitingSinceMs) {
      this.#stalledSinceMs = undefined;
      return [{ timeMs, event: "stall_end", output: this.#output, sinceMs }];
    }
    if (waitingSinceMs === undefined || timeMs - waitingSinceMs < STALL_MS) return [];
    if (sinceMs !== undefined && timeMs - this.#stallReportMs < this.#intervalMs) {
      return [];
    }
    this.#stalledSinceMs = waitingSinceMs;
    this.#stallReportMs = timeMs;
    return [{ timeMs, event: "stall", output: this.#output, sinceMs: waitingSinceMs }];
  }

  /** Since when the output has not taken a byte of what it is given. */
  #waitingSince({ timeMs, inputs, writingSinceMs }: Snapshot): number | undefined {
    const bytesOut = inputs.reduce((sum, input) => sum + input.bytesOut, 0n);
    if (bytesOut !== this.#bytesOut) {
      this.#bytesOut = bytesOut;
      this.#lastTakenMs = timeMs;
    }
    // A slow output may need long for what it is given, and yet be at work.
    return writingSinceMs === undefined
      ? undefined
      : Math.max(writingSinceMs, this.#lastTakenMs);
  }
}
