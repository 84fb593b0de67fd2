import { LaneCounters } from "../lane/lane_counters.ts";
import type { Lane } from "../lane/lane.ts";
import type { RoutePlan } from "../plan.ts";
import { monotonicMs } from "../system/clock.ts";
import type { Board, OutputWords } from "../threads/board.ts";
import type { InputState, OutputState, RouteState, Snapshot } from "./events.ts";
import { Rates } from "./rates.ts";

/** What is looked at of a route. */
export interface ObservedRoute {
  /** Its number on the board. */
  readonly number: number;
  readonly plan: Pick<RoutePlan, "inputs" | "capacityBytes" | "whenFull" | "output">;
  /** One for each input. */
  readonly lanes: readonly Lane[];
}

/** One input, and what the lane does not say of it. */
interface Input {
  readonly label: string;
  readonly counters: LaneCounters;
  readonly rates: Rates;
}

/** One route, and what the board does not say of it. */
interface Route {
  readonly number: number;
  readonly plan: ObservedRoute["plan"];
  readonly words: OutputWords;
  readonly inputs: readonly Input[];
  lastError: OutputState["lastError"];
}

/**
 * The one view of the data path that all reports, the meter and the metrics are
 * made from. It only reads the board and the lanes. Control thread only.
 */
export class Observer {
  readonly #routes = new Map<number, Route>();
  readonly #createdMs = monotonicMs();

  add({ number, plan, lanes }: ObservedRoute, board: Board): void {
    this.#routes.set(number, {
      number,
      plan,
      words: board.route(number),
      inputs: plan.inputs.map(({ label }, index) => ({
        label,
        counters: new LaneCounters(lanes[index]!),
        rates: new Rates(performance.now()),
      })),
      lastError: undefined,
    });
  }

  /** Remembers what the output of a route said last. */
  noteError(number: number, message: string): void {
    this.#routes.get(number)!.lastError = { message, timeMs: Date.now() };
  }

  snapshot(): Snapshot {
    const timeMs = Date.now();
    const nowMs = monotonicMs();
    // By the clock as it is now: it may have been set since.
    const timeOf = (since: number) => timeMs - (nowMs - since);
    const routes = Array.from(
      this.#routes.values(),
      (route) => routeState(route, timeOf),
    );
    return { timeMs, startMs: timeOf(this.#createdMs), routes };
  }
}

function routeState(route: Route, timeOf: (since: number) => number): RouteState {
  const { number, plan, inputs, lastError } = route;
  const { takesNothingSince, failingSince, retries } = route.words;
  return {
    number,
    inputs: inputs.map((input) => inputState(input, plan)),
    output: {
      name: plan.output.name,
      takesNothingSinceMs: takesNothingSince && timeOf(takesNothingSince),
      failingSinceMs: failingSince && timeOf(failingSince),
      retries,
      lastError,
    },
  };
}

function inputState(
  { label, counters, rates }: Input,
  { capacityBytes, whenFull }: ObservedRoute["plan"],
): InputState {
  const counts = counters.read(whenFull === "drop-newest");
  rates.sample(performance.now(), counts.bytesIn, counts.bytesOut);
  const { inBytesPerSecond, outBytesPerSecond } = rates;
  const { shortfall } = counters;
  return {
    label,
    capacityBytes,
    ...counts,
    shortfall,
    inBytesPerSecond,
    outBytesPerSecond,
  };
}
