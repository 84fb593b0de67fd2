import { type Amount, lost } from "../lane/counters.ts";
import type {
  InputState,
  Loss,
  LossReason,
  OutputState,
  ReportEvent,
  RouteState,
  Snapshot,
} from "./events.ts";

/** An output that has taken nothing for so long is said to be stalled. */
export const STALL_MS = 1000;

/** Where the loss that goes on began. */
interface LossStart {
  readonly lines: bigint;
  readonly bytes: bigint;
  readonly timeMs: number;
}

/** What is remembered of something that may go. */
interface Seen {
  /** Since the last snapshot that was observed. */
  isSeen: boolean;
}

interface LossState extends Seen {
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

/** Times are counted from the start, which no setting of the clock changes. */
interface OutputHistory extends Seen {
  stalledSinceUptimeMs: number | undefined;
  stallReportMs: number;
  failing: { readonly sinceUptimeMs: number; readonly retries: number };
}

/** Whose loss it is, and of which kind. */
interface LossOf {
  readonly input: InputState;
  readonly route: RouteState;
  readonly reason: LossReason;
}

/**
 * Decides what is worth saying: a loss at once, then at most once an interval
 * while it goes on, then once when it has ended; a stall likewise. It sees the
 * data path only as a row of snapshots, and keeps no clock of its own.
 */
export class Reporter {
  readonly #reasons: readonly LossReason[];
  readonly #intervalMs: number;
  readonly #losses = new Map<string, LossState>();
  #lastSnapshotMs: number;
  readonly #outputs = new Map<number, OutputHistory>();

  constructor(
    reason: "overwritten" | "dropped",
    intervalMs: number,
    startMs: number,
  ) {
    this.#reasons = [reason, "rejected"];
    this.#intervalMs = intervalMs;
    this.#lastSnapshotMs = startMs;
  }

  /** What has become worth saying since the last snapshot. */
  observe(snapshot: Snapshot): ReportEvent[] {
    if (snapshot.timeMs < this.#lastSnapshotMs) this.#clockWasSetBack(snapshot.timeMs);
    const events = snapshot.routes.flatMap((route) => [
      ...this.#eachLoss(route, (of) => this.#observeLoss(of, snapshot)),
      ...this.#observeStall(route, snapshot),
    ]);
    this.#lastSnapshotMs = snapshot.timeMs;
    this.#forgetGone();
    return events;
  }

  /** Inputs and outputs that were not in the last snapshot are not in any other. */
  #forgetGone(): void {
    for (const states of [this.#losses, this.#outputs] as Map<unknown, Seen>[]) {
      for (const [key, state] of states) {
        if (!state.isSeen) states.delete(key);
        state.isSeen = false;
      }
    }
  }

  /** What was remembered cannot be later than now, or nothing would be due for long. */
  #clockWasSetBack(timeMs: number): void {
    this.#lastSnapshotMs = timeMs;
    for (const output of this.#outputs.values()) {
      output.stallReportMs = Math.min(output.stallReportMs, timeMs);
    }
    for (const state of this.#losses.values()) {
      state.lastLossMs = Math.min(state.lastLossMs, timeMs);
      state.lastReportMs = Math.min(state.lastReportMs, timeMs);
      if (state.since === undefined) continue;
      state.since = { ...state.since, timeMs: Math.min(state.since.timeMs, timeMs) };
    }
  }

  /** True if no loss and no stall goes on whose end is still to be reported. */
  get settled(): boolean {
    return [...this.#outputs.values()].every(({ stalledSinceUptimeMs }) =>
      stalledSinceUptimeMs === undefined
    ) && [...this.#losses.values()].every(({ since }) => since === undefined);
  }

  /** The last snapshot: losses that went on are over with the program. */
  finish(snapshot: Snapshot): ReportEvent[] {
    return snapshot.routes.flatMap((route) =>
      this.#eachLoss(route, (of) => {
        this.#noteLoss(of, snapshot);
        return this.#endLoss(of, snapshot);
      })
    );
  }

  /** What the ring loses and what the output refuses are two things. */
  #eachLoss(route: RouteState, events: (of: LossOf) => ReportEvent[]): ReportEvent[] {
    return route.inputs.flatMap((input) =>
      this.#reasons.flatMap((reason) => events({ input, route, reason }))
    );
  }

  /** The outlet of a route says that its output fails; it does so once until it recovers. */
  sinkFailing(snapshot: Snapshot, number: number, message: string): ReportEvent {
    const { timeMs, startMs } = snapshot;
    const { output, inputs } = routeOf(snapshot, number);
    const state = this.#outputState(number);
    state.failing = { sinceUptimeMs: timeMs - startMs, retries: output.retries };
    const bufferedBytes = inputs.reduce((sum, input) => sum + input.bytesBuffered, 0n);
    return { timeMs, event: "sink_failing", message, bufferedBytes };
  }

  sinkRecovered(snapshot: Snapshot, number: number): ReportEvent {
    const { timeMs, startMs } = snapshot;
    const { output } = routeOf(snapshot, number);
    const { sinceUptimeMs, retries } = this.#outputState(number).failing;
    return {
      timeMs,
      event: "sink_recovered",
      output: output.name,
      sinceMs: startMs + sinceUptimeMs,
      retries: output.retries - retries,
    };
  }

  /**
   * The input goes; if it loses lines, that is over.
   *
   * @param snapshot of that input at least
   */
  forgetInput(snapshot: Snapshot, number: number, label: string): ReportEvent[] {
    const route = routeOf(snapshot, number);
    const input = route.inputs.find((input) => input.label === label)!;
    return this.#reasons.flatMap((reason) => {
      const of = { input, route, reason };
      this.#noteLoss(of, snapshot);
      const events = this.#endLoss(of, snapshot);
      this.#losses.delete(keyOf(of));
      return events;
    });
  }

  #observeLoss(of: LossOf, snapshot: Snapshot): ReportEvent[] {
    const { timeMs } = snapshot;
    const state = this.#noteLoss(of, snapshot);
    if (state.since === undefined) return [];
    if (timeMs - state.lastLossMs >= this.#intervalMs) {
      return this.#endLoss(of, snapshot);
    }
    const due = timeMs - state.lastReportMs >= this.#intervalMs &&
      state.bytes > state.reportedBytes;
    if (!due) return [];
    const repeated = state.lastReportMs !== -Infinity;
    state.lastReportMs = timeMs;
    state.reportedBytes = state.bytes;
    const loss = lossOf(of, state, state.since);
    return [{ timeMs, event: "loss", repeated, ...loss }];
  }

  #noteLoss(of: LossOf, { timeMs }: Snapshot): LossState {
    const state = this.#stateOf(of);
    const { lines, bytes } = amountOf(of);
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
    observeShortfall(state, of.input);
    return state;
  }

  #endLoss(of: LossOf, snapshot: Snapshot): ReportEvent[] {
    const state = this.#stateOf(of);
    if (state.since === undefined) return [];
    const loss = lossOf(of, state, state.since);
    state.since = undefined;
    state.lastReportMs = -Infinity;
    return [{ timeMs: snapshot.timeMs, event: "loss_end", ...loss }];
  }

  #stateOf(of: LossOf): LossState {
    const key = keyOf(of);
    let state = this.#losses.get(key);
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
        isSeen: true,
      };
      this.#losses.set(key, state);
    }
    state.isSeen = true;
    return state;
  }

  #observeStall(route: RouteState, { timeMs, startMs }: Snapshot): ReportEvent[] {
    const { takesNothingSinceMs } = route.output;
    const state = this.#outputState(route.number);
    const known = state.stalledSinceUptimeMs;
    if (known !== undefined && !goesOn(route.output, startMs, known)) {
      state.stalledSinceUptimeMs = undefined;
      return [{ timeMs, event: "stall_end", route, sinceMs: startMs + known }];
    }
    if (takesNothingSinceMs === undefined || timeMs - takesNothingSinceMs < STALL_MS) {
      return [];
    }
    if (known !== undefined && timeMs - state.stallReportMs < this.#intervalMs) {
      return [];
    }
    state.stalledSinceUptimeMs = known ?? takesNothingSinceMs - startMs;
    state.stallReportMs = timeMs;
    return [{ timeMs, event: "stall", route, sinceMs: takesNothingSinceMs }];
  }

  #outputState(number: number): OutputHistory {
    let state = this.#outputs.get(number);
    if (state === undefined) {
      state = {
        stalledSinceUptimeMs: undefined,
        stallReportMs: 0,
        failing: { sinceUptimeMs: 0, retries: 0 },
        isSeen: true,
      };
      this.#outputs.set(number, state);
    }
    state.isSeen = true;
    return state;
  }
}

function keyOf({ input, route, reason }: LossOf): string {
  return `${route.number} ${reason} ${input.label}`;
}

/** In lines and bytes, since the start. What the ring loses is all but the rejected. */
function amountOf({ input, reason }: LossOf): Amount {
  const { linesRejected, bytesRejected } = input;
  if (reason === "rejected") return { lines: linesRejected, bytes: bytesRejected };
  const { lines, bytes } = lost(input);
  return { lines: lines - linesRejected, bytes: bytes - bytesRejected };
}

function lossOf(
  { input, route, reason }: LossOf,
  state: LossState,
  since: LossStart,
): Loss {
  return {
    input,
    output: route.output,
    reason,
    lines: state.lines - since.lines,
    bytes: state.bytes - since.bytes,
    sinceMs: since.timeMs,
    untilMs: state.lastLossMs,
    capacityNeededBytes: input.capacityBytes + state.worstShortfallBytes,
  };
}

function routeOf({ routes }: Snapshot, number: number): RouteState {
  const found = routes.find((route) => route.number === number);
  if (found === undefined) throw new Error(`there is no route ${number}`);
  return found;
}

/** The stall that began then is not over: another could only have begun later. */
function goesOn(
  { takesNothingSinceMs }: OutputState,
  startMs: number,
  sinceUptimeMs: number,
): boolean {
  // Both times are rounded. One that was reported has lasted for longer than that.
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
