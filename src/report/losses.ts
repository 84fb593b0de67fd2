import { type Amount, lost } from "../lane/counters.ts";
import type {
  InputState,
  Loss,
  LossReason,
  ReportEvent,
  RouteState,
  Snapshot,
} from "./events.ts";

/** Where the loss that goes on began. */
interface LossStart {
  readonly lines: bigint;
  readonly bytes: bigint;
  readonly timeMs: number;
}

interface LossState {
  /** Since the last call of `forgetGone`. */
  isSeen: boolean;
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

/** Whose loss it is, and of which kind. */
interface LossOf {
  readonly input: InputState;
  readonly route: RouteState;
  readonly reason: LossReason;
}

/**
 * What each input loses, and when that is worth saying: at once, then at most once an
 * interval while it goes on, then once when it has ended. What the ring loses and what the
 * output refuses are two things.
 */
export class Losses {
  readonly #reasons: readonly LossReason[];
  readonly #intervalMs: number;
  readonly #states = new Map<string, LossState>();
  /** Of the last snapshot that all of it has seen. */
  #seenMs: number;

  /** @param reason what is lost in the ring is called */
  constructor(reason: "overwritten" | "dropped", intervalMs: number, startMs: number) {
    this.#reasons = [reason, "rejected"];
    this.#intervalMs = intervalMs;
    this.#seenMs = startMs;
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
      this.#note(of, snapshot);
      return this.#end(of, snapshot);
    });
  }

  /** The input goes; if it loses lines, that is over. */
  forget(route: RouteState, input: InputState, snapshot: Snapshot): ReportEvent[] {
    return this.#reasons.flatMap((reason) => {
      const of = { input, route, reason };
      this.#note(of, snapshot);
      const events = this.#end(of, snapshot);
      this.#states.delete(keyOf(of));
      return events;
    });
  }

  /** All routes of a snapshot were observed: inputs that were not in it are in no other. */
  seen({ timeMs }: Snapshot): void {
    this.#seenMs = timeMs;
    for (const [key, state] of this.#states) {
      if (!state.isSeen) this.#states.delete(key);
      state.isSeen = false;
    }
  }

  /** As `seen`, where nothing has changed since the last snapshot. */
  rest(timeMs: number): void {
    this.#seenMs = timeMs;
  }

  /** What was remembered cannot be later than now, or nothing would be due for long. */
  clockWasSetBack(timeMs: number): void {
    this.#seenMs = timeMs;
    for (const state of this.#states.values()) {
      state.lastLossMs = Math.min(state.lastLossMs, timeMs);
      state.lastReportMs = Math.min(state.lastReportMs, timeMs);
      if (state.since === undefined) continue;
      state.since = { ...state.since, timeMs: Math.min(state.since.timeMs, timeMs) };
    }
  }

  #each(route: RouteState, events: (of: LossOf) => ReportEvent[]): ReportEvent[] {
    return route.inputs.flatMap((input) =>
      this.#reasons.flatMap((reason) => events({ input, route, reason }))
    );
  }

  #observe(of: LossOf, snapshot: Snapshot): ReportEvent[] {
    const { timeMs } = snapshot;
    const state = this.#note(of, snapshot);
    if (state.since === undefined) return [];
    if (timeMs - state.lastLossMs >= this.#intervalMs) {
      return this.#end(of, snapshot);
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

  #note(of: LossOf, { timeMs }: Snapshot): LossState {
    const state = this.#stateOf(of);
    const { lines, bytes } = amountOf(of);
    if (bytes > state.bytes) {
      if (state.since === undefined) {
        state.since = {
          lines: state.lines,
          bytes: state.bytes,
          timeMs: this.#seenMs,
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

  #end(of: LossOf, snapshot: Snapshot): ReportEvent[] {
    const state = this.#stateOf(of);
    if (state.since === undefined) return [];
    const loss = lossOf(of, state, state.since);
    state.since = undefined;
    state.lastReportMs = -Infinity;
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
        lastLossMs: 0,
        lastReportMs: -Infinity,
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
