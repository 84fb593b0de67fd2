import { type Amount, lost } from "../lane/counters.ts";
import {
  type InputState,
  type Loss,
  type LossReason,
  type ReportEvent,
  type RouteState,
  type Snapshot,
  uptimeMs,
} from "./events.ts";

/** Where the loss that goes on began. */
interface LossStart {
  readonly lines: bigint;
  readonly bytes: bigint;
  readonly uptimeMs: number;
}

/** Times are counted from the start, which no setting of the clock changes. */
interface LossState {
  /** Since the last call of `forgetGone`. */
  isSeen: boolean;
  lines: bigint;
  bytes: bigint;
  /** Undefined while nothing is being lost. */
  since: LossStart | undefined;
  lastLossUptimeMs: number;
  lastReportUptimeMs: number;
  reportedBytes: bigint;
  /** What bursts that are over lacked in sum, when it was looked at last. */
  beforeBurstBytes: number;
  /** What the worst burst of the loss that goes on lacked. */
  worstShortfallBytes: number;
}

/** Whose loss it is, and of which kind. */
interface LossOf {
  readonly input: InputState;
  readonly route: RouteState;
  readonly reason: LossReason;
}

/** When a loss is worth saying, after the first time. */
export interface LossTimes {
  /** At most so often while it goes on. */
  readonly repeatMs: number;
  /** When nothing was lost for so long it has ended, and the next loss is another. */
  readonly pauseMs: number;
}

/**
 * What each input loses, and when that is worth saying: at once, then now and then while
 * it goes on, then once when it has ended. What the ring loses and what the output refuses
 * are two things.
 */
export class Losses {
  readonly #reasons: readonly LossReason[];
  readonly #times: LossTimes;
  readonly #states = new Map<string, LossState>();
  /** Of the last snapshot that all of it has seen. */
  #seenUptimeMs = 0;

  /** @param reason what is lost in the ring is called */
  constructor(reason: "overwritten" | "dropped", times: LossTimes) {
    this.#reasons = [reason, "rejected"];
    this.#times = times;
  }

  /** True if no loss goes on whose end is still to be reported. */
  get settled(): boolean {
    return this.#states.values().every(({ since }) => since === undefined);
  }

  observe(route: RouteState, snapshot: Snapshot): ReportEvent[] {
    return this.#each(route, (of) => this.#observe(of, snapshot));
  }

  /** Those that went on are over. */
  end(route: RouteState, snapshot: Snapshot): ReportEvent[] {
    return this.#each(route, (of) => {
      this.#note(of, uptimeMs(snapshot));
      return this.#end(of, snapshot);
    });
  }

  /** The input goes; if it loses lines, that is over. */
  forget(route: RouteState, input: InputState, snapshot: Snapshot): ReportEvent[] {
    return this.#reasons.flatMap((reason) => {
      const of = { input, route, reason };
      this.#note(of, uptimeMs(snapshot));
      const events = this.#end(of, snapshot);
      this.#states.delete(keyOf(of));
      return events;
    });
  }

  /** All routes of a snapshot were observed: inputs that were not in it are in no other. */
  seen(snapshot: Snapshot): void {
    this.#seenUptimeMs = uptimeMs(snapshot);
    for (const [key, state] of this.#states) {
      if (!state.isSeen) this.#states.delete(key);
      state.isSeen = false;
    }
  }

  /** As `seen`, where nothing has changed since the last snapshot. */
  rest(uptimeMs: number): void {
    this.#seenUptimeMs = uptimeMs;
  }

  #each(route: RouteState, events: (of: LossOf) => ReportEvent[]): ReportEvent[] {
    return route.inputs.flatMap((input) =>
      this.#reasons.flatMap((reason) => events({ input, route, reason }))
    );
  }

  #observe(of: LossOf, snapshot: Snapshot): ReportEvent[] {
    const nowMs = uptimeMs(snapshot);
    const state = this.#note(of, nowMs);
    if (state.since === undefined) return [];
    if (nowMs - state.lastLossUptimeMs >= this.#times.pauseMs) {
      return this.#end(of, snapshot);
    }
    const due = nowMs - state.lastReportUptimeMs >= this.#times.repeatMs &&
      state.bytes > state.reportedBytes;
    if (!due) return [];
    const repeated = state.lastReportUptimeMs !== -Infinity;
    state.lastReportUptimeMs = nowMs;
    state.reportedBytes = state.bytes;
    const loss = lossOf(of, state, state.since, snapshot);
    return [{ timeMs: snapshot.timeMs, event: "loss", repeated, ...loss }];
  }

  #note(of: LossOf, nowMs: number): LossState {
    const state = this.#stateOf(of);
    const { lines, bytes } = amountOf(of);
    if (bytes > state.bytes) {
      if (state.since === undefined) {
        state.since = {
          lines: state.lines,
          bytes: state.bytes,
          uptimeMs: this.#seenUptimeMs,
        };
        state.worstShortfallBytes = 0;
      }
      state.lastLossUptimeMs = nowMs;
      state.lines = lines;
      state.bytes = bytes;
    }
    observeShortfall(state, of.input);
    return state;
  }

  #end(of: LossOf, snapshot: Snapshot): ReportEvent[] {
    const state = this.#stateOf(of);
    if (state.since === undefined) return [];
    const loss = lossOf(of, state, state.since, snapshot);
    state.since = undefined;
    state.lastReportUptimeMs = -Infinity;
    return [{ timeMs: snapshot.timeMs, event: "loss_end", ...loss }];
  }

  #stateOf(of: LossOf): LossState {
    const key = keyOf(of);
    let state = this.#states.get(key);
    if (state === undefined) {
      state = {
        lines: 0n,
        bytes: 0n,
        since: undefined,
        lastLossUptimeMs: 0,
        lastReportUptimeMs: -Infinity,
        reportedBytes: 0n,
        beforeBurstBytes: 0,
        worstShortfallBytes: 0,
        isSeen: true,
      };
      this.#states.set(key, state);
    }
    state.isSeen = true;
    return state;
  }
}

function keyOf({ input, route, reason }: LossOf): string {
  return `${route.number} ${reason} ${input.label}`;
}

/**
 * In lines and bytes, since the start. What the ring loses is all but what was rejected or
 * was missing from the start.
 */
function amountOf({ input, reason }: LossOf): Amount {
  const { linesRejected, bytesRejected, linesDamaged, bytesDamaged } = input;
  if (reason === "rejected") return { lines: linesRejected, bytes: bytesRejected };
  const { lines, bytes } = lost(input);
  return {
    lines: lines - linesRejected - linesDamaged,
    bytes: bytes - bytesRejected - bytesDamaged,
  };
}

function lossOf(
  { input, route, reason }: LossOf,
  state: LossState,
  since: LossStart,
  { startMs }: Snapshot,
): Loss {
  return {
    input,
    output: route.output,
    reason,
    lines: state.lines - since.lines,
    bytes: state.bytes - since.bytes,
    sinceMs: startMs + since.uptimeMs,
    untilMs: startMs + state.lastLossUptimeMs,
    capacityNeededBytes: input.capacityBytes + state.worstShortfallBytes,
  };
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
