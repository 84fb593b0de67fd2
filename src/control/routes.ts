import type { InputSpec } from "../input/pipe_source.ts";
import { loopOf } from "../output/sinks.ts";
import type { RoutePlan } from "../plan.ts";
import type { Lane } from "../lane/lane.ts";
import { SentMemories } from "../lane/sent_lane.ts";
import { MAX_THREADS } from "../threads/board.ts";
import { Doorbell } from "../threads/doorbell.ts";
import { allocateRoutes } from "./preparation.ts";
import type { OutputStart, ReaderStart } from "./thread_start.ts";

/** A route from its start to its end, as the control thread sees it. */
export interface Route {
  /** Its number on the board. */
  readonly number: number;
  readonly plan: RoutePlan;
  /** One for each input. */
  readonly lanes: readonly Lane[];
  readonly loop: Loop;
  readonly plate: number;
  /** Nothing more is written to its output. */
  ended: boolean;
}

/** An output loop and its thread. */
interface Loop {
  /** See `SinkKind.loop`. */
  readonly name: string;
  /** Its number on the board. */
  readonly thread: number;
  readonly doorbell: Doorbell;
  readonly routes: Route[];
}

/** What a loop is started with beside what all threads share. */
export type LoopStart = Omit<OutputStart, "role" | "shared">;
export type ReaderLanes = Pick<ReaderStart, "memories" | "lanes">;

/**
 * All routes of the program, and which output loop each is in: those that can hold up a
 * thread together are together. Control thread only.
 */
export class Routes {
  readonly all: readonly Route[];
  readonly #loops: Loop[] = [];

  /** @throws InputError when the system has not so much memory or so many descriptors. */
  constructor(plans: readonly RoutePlan[]) {
    const lanes = allocateRoutes(plans);
    this.all = plans.map((plan, number) => this.#make(plan, number, lanes[number]!));
  }

  #make(plan: RoutePlan, number: number, lanes: readonly Lane[]): Route {
    const loop = this.#loopNamed(loopOf(plan.output));
    const plate = loop.routes.length;
    const route = { number, plan, lanes, loop, plate, ended: false };
    loop.routes.push(route);
    return route;
  }

  #loopNamed(name: string): Loop {
    let loop = this.#loops.find((loop) => loop.name === name);
    // Beyond the number of threads whoever comes shares the last one.
    if (loop === undefined && this.#loops.length === MAX_LOOPS) loop = this.#loops.at(-1);
    if (loop !== undefined) return loop;
    const thread = this.#loops.length + 1;
    const made = { name, thread, doorbell: Doorbell.create(), routes: [] };
    this.#loops.push(made);
    return made;
  }

  get loopStarts(): LoopStart[] {
    return this.#loops.map(({ name, thread, doorbell, routes }) => {
      const memories = new SentMemories();
      const outlets = routes.map(({ number, plan, lanes }) => ({
        route: number,
        plan,
        lanes: lanes.map((lane) => memories.pack(lane)),
      }));
      const { memory } = doorbell;
      return { loop: name, thread, doorbell: memory, memories: memories.all, outlets };
    });
  }

  get readerLanes(): ReaderLanes {
    const memories = new SentMemories();
    const lanes = this.all.flatMap(({ number, plan, lanes, loop, plate }) =>
      plan.inputs.map((input: InputSpec, index) => ({
        input,
        lane: memories.pack(lanes[index]!),
        maxLineBytes: plan.maxLineBytes,
        whenFull: plan.whenFull,
        route: number,
        doorbell: loop.doorbell.memory,
        plate,
      }))
    );
    return { memories: memories.all, lanes };
  }

  /** Nothing more is written to the outputs of a loop whose thread has died. */
  inLoop(name: string): readonly Route[] {
    return this.#loops.find((loop) => loop.name === name)?.routes ?? [];
  }

  get ended(): boolean {
    return this.all.every(({ ended }) => ended);
  }

  /** Every outlet is to look at its lanes and at the board. */
  callAll(): void {
    for (const { doorbell } of this.#loops) doorbell.ringAll();
  }
}

/** Loops beside each other: so many disks and name servers can hang, and no other waits. */
const MAX_LOOPS = 16;
if (MAX_LOOPS >= MAX_THREADS) throw new Error("loops would share their words");
