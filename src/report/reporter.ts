import { lost } from "../lane/counts.ts";
import type { InputState, Loss, ReportEvent, Snapshot } from "./events.ts";

/** An output that has taken nothing for so long is said to be stalled. */
export const STALL_MS = 1000;

/** Where the loss that goes on began. */
interface LossStart {
  readonly lines: bigint;
  readonly bytes: bigint;
  readonly timeMs: number;
}

interface LossState {
  lines: bigint;
  bytes: bigint;
  /** Undefined while nothing is being lost. */
  since: LossStart | undefined;
  lastLossMs: number;
  lastReportMs: number;
  reportedBytes: bigint;
  /** What bursts that are over lacked in sum, when it was looked at last. */
  beforeBurstBytes: number;
  /** What the worst burst of the loss that goes on lacked. */
  worstShortfallBytes: number;
}

/**
 * Decides what is worth saying: a loss at once, then at most once an interval
 * while it goes on, then once when it has ended; a stall likewise. It sees the
 * data path only as a row of snapshots, and keeps no clock of its own.
 */
export class Reporter {
  readonly #reason: "overwritten" | "dropped";
  readonly #intervalMs: number;
  readonly #losses = new Map<string, LossState>();
  #lastSnapshotMs: number;
  /** Counted from the start, which no setting of the clock changes. */
  #stalledSinceUptimeMs: number | undefined;
  #stallReportMs = 0;
  #failing = { sinceUptimeMs: 0, retries: 0 };

  constructor(
    reason: "overwritten" | "dropped",
    intervalMs: number,
    startMs: number,
  ) {
    this.#reason = reason;
    this.#intervalMs = intervalMs;
    this.#lastSnapshotMs = startMs;
  }

  /** What has become worth saying since the last snapshot. */
  observe(snapshot: Snapshot): ReportEvent[] {
    if (snapshot.timeMs < this.#lastSnapshotMs) this.#clockWasSetBack(snapshot.timeMs);
    const events = snapshot.inputs.flatMap((input) => this.#observeLoss(input, snapshot));
    events.push(...this.#observeStall(snapshot));
    this.#lastSnapshotMs = snapshot.timeMs;
    return events;
  }

  /** What was remembered cannot be later than now, or nothing would be due for long. */
  #clockWasSetBack(timeMs: number): void {
    this.#lastSnapshotMs = timeMs;
    this.#stallReportMs = Math.min(this.#stallReportMs, timeMs);
    for (const state of this.#losses.values()) {
      state.lastLossMs = Math.min(state.lastLossMs, timeMs);
      state.lastReportMs = Math.min(state.lastReportMs, timeMs);
      if (state.since === undefined) continue;
      state.since = { ...state.since, timeMs: Math.min(state.since.timeMs, timeMs) };
    }
  }

  /** True if no loss and no stall goes on whose end is still to be told. */
  get settled(): boolean {
    return this.#stalledSinceUptimeMs === undefined &&
      [...this.#losses.values()].every(({ since }) => since === undefined);
  }

  /** The last snapshot: losses that went on are over with the program. */
  finish(snapshot: Snapshot): ReportEvent[] {
    return snapshot.inputs.flatMap((input) => {
      this.#noteLoss(input, snapshot);
      return this.#endLoss(input, snapshot);
    });
  }

  /** The flusher says that the output fails; it does so once until it recovers. */
  sinkFailing({ timeMs, startMs, output }: Snapshot, message: string): ReportEvent {
    this.#failing = { sinceUptimeMs: timeMs - startMs, retries: output.retries };
    return { timeMs, event: "sink_failing", message };
  }

  sinkRecovered({ timeMs, startMs, output }: Snapshot): ReportEvent {
    const { sinceUptimeMs, retries } = this.#failing;
    return {
      timeMs,
      event: "sink_recovered",
      output: output.name,
      sinceMs: startMs + sinceUptimeMs,
      retries: output.retries - retries,
    };
  }

  #observeLoss(input: InputState, snapshot: Snapshot): ReportEvent[] {
    const { timeMs } = snapshot;
    const state = this.#noteLoss(input, snapshot);
    if (state.since === undefined) return [];
    if (timeMs - state.lastLossMs >= this.#intervalMs) {
      return this.#endLoss(input, snapshot);
    }
    const due = timeMs - state.lastReportMs >= this.#intervalMs &&
      state.bytes > state.reportedBytes;
    if (!due) return [];
    const repeated = state.lastReportMs !== -Infinity;
    state.lastReportMs = timeMs;
    state.reportedBytes = state.bytes;
    const loss = this.#loss(input, snapshot, state, state.since);
    return [{ timeMs, event: "loss", repeated, ...loss }];
  }

  #noteLoss(input: InputState, { timeMs }: Snapshot): LossState {
    const state = this.#stateOf(input.label);
    const { lines, bytes } = lost(input);
    if (bytes > state.bytes) {
      if (state.since === undefined) {
        state.since = {
          lines: state.lines,
          bytes: state.bytes,
          timeMs: this.#lastSnapshotMs,
        };
        state.worstShortfallBytes = 0;
      }
      state.lastLossMs = timeMs;
      state.lines = lines;
      state.bytes = bytes;
    }
    observeShortfall(state, input);
    return state;
  }

  #endLoss(input: InputState, snapshot: Snapshot): ReportEvent[] {
    const state = this.#stateOf(input.label);
    if (state.since === undefined) return [];
    const loss = this.#loss(input, snapshot, state, state.since);
    state.since = undefined;
    state.lastReportMs = -Infinity;
    return [{ timeMs: snapshot.timeMs, event: "loss_end", ...loss }];
  }

  #loss(input: InputState, snapshot: Snapshot, state: LossState, since: LossStart): Loss {
    return {
      input,
      output: snapshot.output,
      reason: this.#reason,
      lines: state.lines - since.lines,
      bytes: state.bytes - since.bytes,
      sinceMs: since.timeMs,
      untilMs: state.lastLossMs,
      capacityNeededBytes: snapshot.capacityBytes + state.worstShortfallBytes,
    };
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
        beforeBurstBytes: 0,
        worstShortfallBytes: 0,
      };
      this.#losses.set(label, state);
    }
    return state;
  }

  #observeStall(snapshot: Snapshot): ReportEvent[] {
    const { timeMs, startMs, output: { takesNothingSinceMs } } = snapshot;
    const known = this.#stalledSinceUptimeMs;
    if (known !== undefined && !goesOn(snapshot, known)) {
      this.#stalledSinceUptimeMs = undefined;
      return [{ timeMs, event: "stall_end", snapshot, sinceMs: startMs + known }];
    }
    if (takesNothingSinceMs === undefined || timeMs - takesNothingSinceMs < STALL_MS) {
      return [];
    }
    if (known !== undefined && timeMs - this.#stallReportMs < this.#intervalMs) {
      return [];
    }
    this.#stalledSinceUptimeMs = known ?? takesNothingSinceMs - startMs;
    this.#stallReportMs = timeMs;
    return [{ timeMs, event: "stall", snapshot, sinceMs: takesNothingSinceMs }];
  }
}

/** The stall that began then is not over: another could only have begun later. */
function goesOn({ startMs, output }: Snapshot, sinceUptimeMs: number): boolean {
  const { takesNothingSinceMs } = output;
  // Both times are rounded. One that was told of has lasted for longer than that.
  return takesNothingSinceMs !== undefined &&
    takesNothingSinceMs - startMs < sinceUptimeMs + STALL_MS / 2;
}

/** Keeps the worst of the burst that goes on and of those that ended meanwhile. */
function observeShortfall(state: LossState, { shortfall }: InputState): void {
  const { totalBytes, beforeBurstBytes } = shortfall;
  state.worstShortfallBytes = Math.max(
    state.worstShortfallBytes,
    beforeBurstBytes - state.beforeBurstBytes,
    totalBytes - beforeBurstBytes,
  );
  state.beforeBurstBytes = beforeBurstBytes;
}
