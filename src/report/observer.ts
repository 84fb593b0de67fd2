import { type Counts, NOTHING_COUNTED, total } from "../lane/counters.ts";
import { LaneCounters } from "../lane/lane_counters.ts";
import type { Lane } from "../lane/lane.ts";
import type { RoutePlan } from "../plan.ts";
import { monotonicMs } from "../system/clock.ts";
import type { Board, OutputWords } from "../threads/board.ts";
import type {
  GoneInputs,
  InputState,
  OutputState,
  RouteState,
  Snapshot,
} from "./events.ts";
import { Rates } from "./rates.ts";

/** What is looked at of a route. */
export interface ObservedRoute {
  readonly number: number;
  /** Where its words are on the board. */
  readonly slot: number;
  readonly plan: Pick<RoutePlan, "inputs" | "capacityBytes" | "whenFull" | "output">;
  /** One for each input. */
  readonly lanes: readonly Lane[];
}

/** One input, and what the lane does not say of it. */
interface Input {
  readonly label: string;
  /** Several where one that has come back is read before the rest of it is written. */
  readonly lanes: Map<Lane, LaneCounters>;
  /** What was counted of its lanes that have gone: its counters never shrink. */
  before: Counts;
  readonly rates: Rates;
}

/** One route, and what the board does not say of it. */
interface Route {
  readonly number: number;
  readonly plan: ObservedRoute["plan"];
  readonly words: OutputWords;
  readonly inputs: Input[];
  lastError: OutputState["lastError"];
}

/**
 * The two clocks are not read in the same moment, and rounded: the start would seem to move,
 * and that is what a restart looks like to those who scrape it. What is more is a setting
 * of the clock.
 */
const CLOCKS_APART_MS = 500;

/**
 * The one view of the data path that all reports, the meter and the metrics are
 * made from. It only reads the board and the lanes. Control thread only.
 */
export class Observer {
  readonly #routes = new Map<number, Route>();
  readonly #createdMs = monotonicMs();
  /** By the clock as it is now. */
  #startMs = Date.now();
  readonly #manyOutputs: boolean;
  #gone: GoneInputs | undefined;

  /** @param manyOutputs see `Snapshot` */
  constructor(manyOutputs: boolean) {
    this.#manyOutputs = manyOutputs;
  }

  add({ number, slot, plan, lanes }: ObservedRoute, board: Board): void {
    const words = board.route(slot);
    const route = { number, plan, words, inputs: [], lastError: undefined };
    this.#routes.set(number, route);
    plan.inputs.forEach(({ label }, index) => this.addLane(number, label, lanes[index]!));
  }

  /** Another lane of the route, of an input that may be known already. */
  addLane(number: number, label: string, lane: Lane): void {
    const { inputs } = this.#routes.get(number)!;
    let input = inputs.find((input) => input.label === label);
    if (input === undefined) {
      const rates = new Rates(performance.now());
      input = { label, lanes: new Map(), before: NOTHING_COUNTED, rates };
      inputs.push(input);
    }
    input.lanes.set(lane, new LaneCounters(lane));
  }

  /**
   * Its counters stay, as they are now: those of its input while that has other lanes, and
   * then in the totals.
   *
   * @returns whether the input has gone with it
   */
  removeLane(number: number, lane: Lane): boolean {
    const route = this.#routes.get(number)!;
    const input = route.inputs.find(({ lanes }) => lanes.has(lane))!;
    const counts = countsOf(input.lanes.get(lane)!, route.plan);
    input.before = total([input.before, counts]);
    input.lanes.delete(lane);
    if (input.lanes.size > 0) return false;
    route.inputs.splice(route.inputs.indexOf(input), 1);
    const { inputs, ...gone } = this.#gone ?? { ...NOTHING_COUNTED, inputs: 0 };
    this.#gone = { ...total([gone, input.before]), inputs: inputs + 1 };
    return true;
  }

  /** It has no inputs any more. */
  remove(number: number): void {
    this.#routes.delete(number);
  }

  /** Remembers what the output of a route said last. */
  noteError(number: number, message: string): void {
    const route = this.#routes.get(number);
    if (route !== undefined) route.lastError = { message, timeMs: Date.now() };
  }

  snapshot(): Snapshot {
    return this.#look([...this.#routes.values()]);
  }

  /** Of one route alone, if there still is one, and where it is named of one input. */
  snapshotOf(number: number, label?: string): Snapshot | undefined {
    const route = this.#routes.get(number);
    if (route === undefined) return undefined;
    const inputs = route.inputs.filter((input) => input.label === (label ?? input.label));
    return this.#look([{ ...route, inputs }]);
  }

  #look(routes: readonly Route[]): Snapshot {
    const timeMs = Date.now();
    const startMs = timeMs - (monotonicMs() - this.#createdMs);
    if (Math.abs(startMs - this.#startMs) > CLOCKS_APART_MS) this.#startMs = startMs;
    const timeOf = (since: number) => this.#startMs + (since - this.#createdMs);
    return {
      timeMs,
      startMs: this.#startMs,
      routes: routes.map((route) => routeState(route, timeOf)),
      ...(this.#manyOutputs && { manyOutputs: true }),
      ...(this.#gone && { gone: this.#gone }),
    };
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

function countsOf(
  counters: LaneCounters,
  { whenFull }: Pick<RoutePlan, "whenFull">,
): Counts {
  return counters.read(whenFull === "drop-newest");
}

function inputState(
  { label, lanes, before, rates }: Input,
  plan: ObservedRoute["plan"],
): InputState {
  const all = Array.from(lanes.values(), (counters) => countsOf(counters, plan));
  const counts = all.length === 1 && before === NOTHING_COUNTED
    ? all[0]!
    : total([before, ...all]);
  rates.sample(performance.now(), counts.bytesIn, counts.bytesOut);
  const { inBytesPerSecond, outBytesPerSecond } = rates;
  const { shortfall } = lanes.values().toArray().at(-1)!;
  return {
    label,
    capacityBytes: plan.capacityBytes,
    ...counts,
    shortfall,
    inBytesPerSecond,
    outBytesPerSecond,
  };
}
