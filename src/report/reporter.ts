import {
  type OutputState,
  type ReportEvent,
  type RouteState,
  type Snapshot,
  uptimeMs,
} from "./events.ts";
import { Losses } from "./losses.ts";

/** An output that has taken nothing for so long is said to be stalled. */
export const STALL_MS = 1000;

/**
 * What is remembered of an output. Times are counted from the start, which no setting of
 * the clock changes.
 */
interface OutputHistory {
  /** Since the last snapshot that was observed. */
  isSeen: boolean;
  stalledSinceUptimeMs: number | undefined;
  stallReportUptimeMs: number;
  failing: { readonly sinceUptimeMs: number; readonly retries: number };
}

/**
 * Decides what is worth saying of losses and of outputs that take nothing or fail. It sees
 * the data path only as a row of snapshots, and keeps no clock of its own.
 */
export class Reporter {
  readonly #intervalMs: number;
  readonly #losses: Losses;
  readonly #outputs = new Map<number, OutputHistory>();

  /** @param reason see `Losses` */
  constructor(reason: "overwritten" | "dropped", intervalMs: number) {
    this.#intervalMs = intervalMs;
    this.#losses = new Losses(reason, { repeatMs: intervalMs, pauseMs: intervalMs });
  }

  /** What has become worth saying since the last snapshot. */
  observe(snapshot: Snapshot): ReportEvent[] {
    const events = snapshot.routes.flatMap((route) => [
      ...this.#losses.observe(route, snapshot),
      ...this.#observeStall(route, snapshot),
    ]);
    this.#losses.seen(snapshot);
    this.#forgetGone();
    return events;
  }

  /** Outputs that were not in the last snapshot are not in any other. */
  #forgetGone(): void {
    for (const [number, output] of this.#outputs) {
      if (!output.isSeen) this.#outputs.delete(number);
      output.isSeen = false;
    }
  }

  /** True if no loss and no stall goes on whose end is still to be reported. */
  get settled(): boolean {
    return this.#losses.settled &&
      this.#outputs.values().every(({ stalledSinceUptimeMs }) =>
        stalledSinceUptimeMs === undefined
      );
  }

  /** The last snapshot: losses that went on are over with the program. */
  finish(snapshot: Snapshot): ReportEvent[] {
    return snapshot.routes.flatMap((route) => this.#losses.end(route, snapshot));
  }

  /** The outlet of a route says that its output fails; it does so once until it recovers. */
  sinkFailing(snapshot: Snapshot, number: number, message: string): ReportEvent {
    const { timeMs } = snapshot;
    const { output, inputs } = routeOf(snapshot, number);
    const state = this.#outputState(number);
    state.failing = { sinceUptimeMs: uptimeMs(snapshot), retries: output.retries };
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
    return this.#losses.forget(route, input, snapshot);
  }

  #observeStall(route: RouteState, snapshot: Snapshot): ReportEvent[] {
    const { timeMs, startMs } = snapshot;
    const nowMs = uptimeMs(snapshot);
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
    if (known !== undefined && nowMs - state.stallReportUptimeMs < this.#intervalMs) {
      return [];
    }
    state.stalledSinceUptimeMs = known ?? takesNothingSinceMs - startMs;
    state.stallReportUptimeMs = nowMs;
    return [{ timeMs, event: "stall", route, sinceMs: takesNothingSinceMs }];
  }

  #outputState(number: number): OutputHistory {
    let state = this.#outputs.get(number);
    if (state === undefined) {
      state = {
        stalledSinceUptimeMs: undefined,
        stallReportUptimeMs: 0,
        failing: { sinceUptimeMs: 0, retries: 0 },
        isSeen: true,
      };
      this.#outputs.set(number, state);
    }
    state.isSeen = true;
    return state;
  }
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
