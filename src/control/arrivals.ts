import { InputError, messageOf, PermanentError, UsageError } from "../errors.ts";
import type { FoundFifo } from "../input/newcomers.ts";
import { type Written, writtenAt } from "../input/own_output.ts";
import type { Lane } from "../lane/lane.ts";
import { OutputNames } from "../output/output_names.ts";
import type { Destination } from "../output/sink.ts";
import { kindOf } from "../output/sinks.ts";
import type { FoldersPlan, RoutePlan } from "../plan.ts";
import type { Reports } from "../report/reports.ts";
import { leaveGarbage } from "../runtime/garbage.ts";
import type { Board } from "../threads/board.ts";
import { LanePool } from "./lane_pool.ts";
import type { ReaderMail } from "./mail.ts";
import { sizesOf } from "./preparation.ts";
import type { Loop, Route, Routes } from "./routes.ts";

/**
 * How long an output stays open that has no input any more: one that is removed and made
 * again goes on where it was.
 */
const LINGER_MS = 1000;
/**
 * What is read before an outlet can take it may overrun the ring, so the reader waits for
 * a thread that starts; but not for one that a disk which hangs keeps from it.
 */
const LATEST_START_MS = 1000;

/** An input that was found in a folder, until all of it is written. */
interface Arrival {
  readonly fifo: FoundFifo;
  readonly lane: Lane;
  readonly route: ArrivalRoute;
  /** The reader puts nothing more into the lane. */
  isLetGo: boolean;
  /** The outlet has forgotten the lane. */
  isFlushed: boolean;
}

/** A route that such inputs go to. */
interface ArrivalRoute {
  readonly route: Route;
  readonly arrivals: Set<Arrival>;
  /** Its outlet ends with what it has. */
  isClosing: boolean;
  /** It has no input, and takes the place of its last one among those that there can be. */
  keepsPlace: boolean;
}

interface ArrivalsContext {
  readonly folders: FoldersPlan;
  readonly routes: Routes;
  readonly reports: Reports;
  readonly board: Board;
  /** Starts the thread of a loop that is new; its outlets are those that its routes have. */
  startLoop(loop: Loop): void;
  /** The reader is to be woken after it. */
  tellReader(mail: ReaderMail): void;
  wakeReader(): void;
}

/**
 * Makes a lane for each named pipe that is found in a folder, and a route where it has an
 * output of its own; takes both back when the pipe has gone and all that was read of it is
 * written. A lane is another's only when both its ends have let it go. Control thread only.
 *
 *      found ──lane──▶ read ──gone from the folder──▶ let go ──all written──▶ gone
 */
export class Arrivals {
  readonly #context: ArrivalsContext;
  readonly #pool: LanePool;
  readonly #arrivals = new Map<number, Arrival>();
  /** By their numbers. */
  readonly #routes = new Map<number, ArrivalRoute>();
  /** Those that inputs can still come to, by the label, or by "" where it is only one. */
  readonly #open = new Map<string, ArrivalRoute>();
  /** Threads that have been started. */
  readonly #started: Set<number>;
  /** Those of them that do not take anything yet, and the reader's mail until then. */
  readonly #starting = new Map<number, ReaderMail[]>();
  readonly #names = new OutputNames();
  /** Outputs that could be what is read. */
  readonly #pipes = new Set<Destination>();
  #isOver = false;

  constructor(context: ArrivalsContext) {
    this.#context = context;
    const { folders, routes } = context;
    this.#started = new Set(routes.loops.map(({ thread }) => thread));
    for (const { plan: { inputs: [input], output } } of routes.all) {
      this.#names.take(input?.label ?? "", output);
      if (mayBePipe(output)) this.#pipes.add(output);
    }
    this.#pool = new LanePool(sizesOf(folders.like));
    if (!folders.perInput) this.#adopt(routes.all[0]!, "");
  }

  #adopt(route: Route, key: string): ArrivalRoute {
    const arrivals = new Set<Arrival>();
    const adopted = { route, arrivals, isClosing: false, keepsPlace: false };
    this.#routes.set(route.number, adopted);
    this.#open.set(key, adopted);
    return adopted;
  }

  /** The reader asks for lanes, and is answered for each. */
  found(fifos: readonly FoundFifo[]): void {
    const loops = new Set<Loop>();
    this.#pool.expect(fifos.length);
    // Once for all that come together, since it looks at every output.
    const written = writtenAt(this.#pipes);
    for (const fifo of fifos) {
      try {
        loops.add(this.#admit(fifo, written).route.loop);
      } catch (error) {
        if (!isRefusal(error)) throw error;
        const why = `FIFO "${fifo.path}" is not read: ${messageOf(error)}`;
        this.#context.tellReader({ kind: "refused", found: fifo.number, why });
      }
    }
    for (const loop of loops) this.#startOrCall(loop);
    this.#context.wakeReader();
  }

  /**
   * @param written what could be read of all outputs
   * @throws UsageError, InputError, PermanentError when it cannot be.
   */
  #admit(fifo: FoundFifo, written: Map<string, Written>): ArrivalRoute {
    const { folders, routes, reports } = this.#context;
    const input = {
      label: fifo.label,
      source: { kind: "fifo", path: fifo.path, inFolder: true },
    } as const;
    const plan = folders.routeOf(input);
    this.#refuseOwnOutput(fifo, plan, written);
    const key = folders.perInput ? fifo.label : "";
    const known = this.#open.get(key);
    if (known?.route.ended) {
      throw new PermanentError(`nothing is written to ${plan.output.name} any more`);
    }
    const lane = this.#takeLane();
    const to = known ?? this.#routeFor(lane, plan, key);
    const arrival = { fifo, lane, route: to, isLetGo: false, isFlushed: false };
    this.#arrivals.set(fifo.number, arrival);
    to.arrivals.add(arrival);
    this.#freePlaceOf(to);
    reports.addInput(to.route.number, fifo.label, lane);
    this.#sendLane(arrival);
    const readerLane = routes.readerLaneOf(to.route, { input, lane });
    const memories = routes.takeReaderMemories();
    if (memories.length > 0) this.#context.tellReader({ kind: "memories", memories });
    const mail = { kind: "lane", found: fifo.number, lane: readerLane } as const;
    this.#tellReaderOf(to.route.loop, mail);
    return to;
  }

  #refuseOwnOutput(
    { identity }: FoundFifo,
    { output }: RoutePlan,
    written: Map<string, Written>,
  ): void {
    const own = writtenAt(mayBePipe(output) ? [output] : []);
    const found = written.get(identity) ?? own.get(identity);
    if (found !== undefined) {
      throw new InputError(
        `it is the same as the output ${found.name}, and what is written would be read again for ever`,
      );
    }
    for (const [at, output] of own) written.set(at, output);
  }

  #takeLane(): Lane {
    try {
      return this.#pool.take();
    } catch (error) {
      throw new InputError(
        `cannot reserve memory for it: ${
          messageOf(error)
        }; ask for a smaller --capacity or --max-line`,
      );
    }
  }

  #routeFor(lane: Lane, plan: RoutePlan, key: string): ArrivalRoute {
    try {
      return this.#makeRoute(plan, key);
    } catch (error) {
      this.#pool.give(lane);
      throw error;
    }
  }

  #makeRoute(plan: RoutePlan, key: string): ArrivalRoute {
    const { routes, reports, board } = this.#context;
    const obstacle = this.#names.take(key, plan.output);
    if (obstacle !== undefined) {
      throw new UsageError(`of the inputs ${obstacle}; give it another name`);
    }
    if (mayBePipe(plan.output)) this.#pipes.add(plan.output);
    // Its only lane comes as any other that comes later.
    const own = { ...plan, inputs: [] };
    const route = routes.add(own, [], true);
    const { loop } = route;
    board.route(route.slot).reset();
    reports.add(route, board);
    if (this.#started.has(loop.thread)) {
      routes.tell(loop, { kind: "outlet", outlet: routes.outletOf(route), memories: [] });
    } else if (!this.#starting.has(loop.thread)) {
      this.#starting.set(loop.thread, []);
    }
    return this.#adopt(route, key);
  }

  /** To the outlet. The mail waits for a thread that has not begun to take any. */
  #sendLane({ route: { route }, lane, fifo }: Arrival): void {
    const { loop, plate } = route;
    const packed = loop.memories.pack(lane);
    this.#context.routes.tell(loop, {
      kind: "lane",
      plate,
      lane: { label: fifo.label, lane: packed, found: fifo.number },
      memories: loop.memories.take(),
    });
  }

  /** When the outlet can take what is read. */
  #tellReaderOf({ thread }: Loop, mail: ReaderMail): void {
    const waiting = this.#starting.get(thread);
    if (waiting === undefined) this.#context.tellReader(mail);
    else waiting.push(mail);
  }

  #startOrCall(loop: Loop): void {
    if (!this.#started.has(loop.thread)) {
      this.#started.add(loop.thread);
      this.#context.startLoop(loop);
      setTimeout(() => this.loopReady(loop.thread), LATEST_START_MS);
    }
    loop.doorbell.ringLoop();
  }

  /** The thread of a loop takes what comes. */
  loopReady(thread: number): void {
    const waiting = this.#starting.get(thread);
    if (waiting === undefined) return;
    this.#starting.delete(thread);
    for (const mail of waiting) this.#context.tellReader(mail);
    this.#context.wakeReader();
  }

  /** The reader puts nothing more into its lane. */
  letGo(found: number): void {
    const arrival = this.#arrivals.get(found)!;
    arrival.isLetGo = true;
    this.#settle(arrival);
  }

  /** Its outlet has forgotten its lane. */
  flushed(found: number): void {
    const arrival = this.#arrivals.get(found);
    if (arrival === undefined) return;
    arrival.isFlushed = true;
    this.#settle(arrival);
  }

  /** The program ends: what there is now stays, so that the last report names it. */
  end(): void {
    this.#isOver = true;
  }

  /** Nothing more is written to it. */
  routeEnded({ number }: Route): void {
    const ended = this.#routes.get(number);
    if (ended === undefined) return;
    for (const arrival of ended.arrivals) {
      arrival.isFlushed = true;
      this.#settle(arrival);
    }
    this.#removeIfOver(ended);
  }

  /** When both ends have let go, the counters stay, and the lane is for another. */
  #settle(arrival: Arrival): void {
    const { fifo, lane, route, isLetGo, isFlushed } = arrival;
    if (!isLetGo || !isFlushed || this.#isOver) return;
    this.#context.reports.removeInput(route.route.number, fifo.label, lane);
    this.#arrivals.delete(fifo.number);
    route.arrivals.delete(arrival);
    this.#pool.give(lane);
    leaveGarbage();
    route.keepsPlace = true;
    if (route.arrivals.size > 0 || !this.#context.folders.perInput) {
      this.#freePlaceOf(route);
      return;
    }
    if (route.route.ended) this.#removeIfOver(route);
    else setTimeout(() => this.#closeIfUnused(route, fifo.label), LINGER_MS);
  }

  /** Another pipe can be read instead. */
  #freePlaceOf(route: ArrivalRoute): void {
    if (!route.keepsPlace) return;
    route.keepsPlace = false;
    this.#context.tellReader({ kind: "gone" });
    this.#context.wakeReader();
  }

  #closeIfUnused(route: ArrivalRoute, label: string): void {
    const isUsed = route.arrivals.size > 0 || this.#isOver;
    if (isUsed || route.isClosing || route.route.ended) return;
    route.isClosing = true;
    this.#open.delete(label);
    const { loop, plate, number, plan } = route.route;
    this.#free(plan);
    // Another of its name may come before it is closed, and there is one of each.
    this.#context.reports.remove(number);
    this.#context.routes.tell(loop, { kind: "close", plate });
    loop.doorbell.ringLoop();
  }

  #free({ output }: RoutePlan): void {
    this.#names.free(output);
    this.#pipes.delete(output);
  }

  #removeIfOver(over: ArrivalRoute): void {
    const { route, arrivals, isClosing } = over;
    if (!this.#context.folders.perInput || !route.ended || arrivals.size > 0) return;
    this.#routes.delete(route.number);
    if (!isClosing) {
      this.#context.reports.remove(route.number);
      this.#free(route.plan);
    }
    for (const [key, open] of this.#open) if (open === over) this.#open.delete(key);
    this.#context.routes.remove(route);
    this.#freePlaceOf(over);
  }
}

/** What is wrong with one pipe, and not with this program. */
function isRefusal(error: unknown): boolean {
  return error instanceof UsageError || error instanceof InputError ||
    error instanceof PermanentError;
}

/** A file is none, and there may be a thousand of them. */
function mayBePipe(output: Destination): boolean {
  return !kindOf(output).isFile;
}
