import type { InputSpec } from "../input/input_spec.ts";
import type { Lane } from "../lane/lane.ts";
import { SentMemories } from "../lane/sent_lane.ts";
import { loopOf } from "../output/sinks.ts";
import type { FoldersPlan, RoutePlan } from "../plan.ts";
import { MAX_THREADS } from "../threads/board.ts";
import { Doorbell } from "../threads/doorbell.ts";
import type { RouteLanes } from "./keeping.ts";
import { mailWay, type OutputMail } from "./mail.ts";
import { Slots } from "./slots.ts";
import type {
  OutletStart,
  OutputStart,
  ReaderLaneStart,
  ReaderStart,
} from "./thread_start.ts";

/** A route from its start to its end, as the control thread sees it. */
export interface Route {
  /** Never given again. */
  readonly number: number;
  /** Where its words are on the board. */
  readonly slot: number;
  readonly plan: RoutePlan;
  /** One for each input that the plan names. */
  readonly lanes: readonly Lane[];
  readonly loop: Loop;
  readonly plate: number;
  /** See `OutletContext.stays`. */
  readonly stays: boolean;
  /** Nothing more is written to its output. */
  ended: boolean;
}

/** An output loop and its thread. */
export interface Loop {
  /** See `SinkKind.loop`. */
  readonly name: string;
  /** Its number on the board. */
  readonly thread: number;
  readonly doorbell: Doorbell;
  readonly plates: Slots;
  readonly memories: SentMemories;
  /** The two ends of the way for what comes while it runs; undefined where nothing does. */
  readonly mail: ReturnType<typeof mailWay> | undefined;
}

/** What a loop is started with beside what all threads share. */
type LoopStart = Omit<OutputStart, "role" | "shared">;
export type ReaderLanes = Pick<ReaderStart, "memories" | "lanes">;

/** A lane of a route, and what the reader is to know of it. */
type NewLane = Pick<ReaderLaneStart, "input"> & { readonly lane: Lane };

/**
 * All routes of the program, and which output loop each is in: those that can hold up a
 * thread together are together. Control thread only.
 */
export class Routes {
  readonly #routes = new Map<number, Route>();
  readonly #loops: Loop[] = [];
  readonly #slots = new Slots();
  readonly #readerMemories = new SentMemories();
  readonly #grows: boolean;
  #nextNumber = 0;

  /** @param folders where inputs come from while the program runs */
  constructor(routes: readonly RouteLanes[], folders: FoldersPlan | undefined) {
    this.#grows = folders !== undefined;
    // Where each input that comes has a route of its own, none comes to these.
    const stays = folders?.perInput === false;
    routes.forEach(({ plan, lanes }) => this.add(plan, lanes, stays));
  }

  /** @param stays see `OutletContext.stays` */
  add(plan: RoutePlan, lanes: readonly Lane[], stays: boolean): Route {
    const loop = this.#loopNamed(loopOf(plan.output));
    const number = this.#nextNumber++;
    const slot = this.#slots.take();
    const plate = loop.plates.take();
    const route = { number, slot, plan, lanes, loop, plate, stays, ended: false };
    this.#routes.set(number, route);
    return route;
  }

  /** It has ended, and no thread knows it any more. */
  remove({ number, slot, plate, loop }: Route): void {
    this.#routes.delete(number);
    this.#slots.give(slot);
    loop.plates.give(plate);
  }

  #loopNamed(name: string): Loop {
    let loop = this.#loops.find((loop) => loop.name === name);
    // Beyond the number of threads whoever comes shares the last one.
    if (loop === undefined && this.#loops.length === MAX_LOOPS) loop = this.#loops.at(-1);
    if (loop !== undefined) return loop;
    const made = {
      name,
      thread: this.#loops.length + 1,
      doorbell: Doorbell.create(),
      plates: new Slots(),
      memories: new SentMemories(),
      mail: this.#grows ? mailWay() : undefined,
    };
    this.#loops.push(made);
    return made;
  }

  get all(): Route[] {
    return [...this.#routes.values()];
  }

  at(number: number): Route | undefined {
    return this.#routes.get(number);
  }

  get loops(): readonly Loop[] {
    return this.#loops;
  }

  /** What the thread of a loop is started with. */
  startOf(loop: Loop): LoopStart {
    const outlets = this.all.filter((route) => route.loop === loop)
      .map((route) => this.outletOf(route));
    const { name, thread, doorbell, memories, mail } = loop;
    return {
      loop: name,
      thread,
      doorbell: doorbell.memory,
      memories: memories.take(),
      outlets,
      mail: mail?.mail,
    };
  }

  /** @param found see `OutletLaneStart` */
  outletOf({ number, slot, plate, plan, lanes, loop, stays }: Route): OutletStart {
    const { output, outputFolders, format, maxLineBytes, whenFull, markers } = plan;
    return {
      route: number,
      slot,
      plate,
      plan: { output, outputFolders, format, maxLineBytes, whenFull, markers },
      lanes: plan.inputs.map(({ label, source }, index) => ({
        label,
        run: source.kind === "kept" ? source.run : undefined,
        lane: loop.memories.pack(lanes[index]!),
        found: undefined,
      })),
      stays,
    };
  }

  get readerLanes(): ReaderLanes {
    const lanes = this.all.flatMap((route) =>
      route.plan.inputs.flatMap((input, index) =>
        isComplete(input)
          ? []
          : [this.readerLaneOf(route, { input, lane: route.lanes[index]! })]
      )
    );
    return { memories: this.#readerMemories.take(), lanes };
  }

  readerLaneOf({ slot, plan, loop, plate }: Route, { input, lane }: NewLane) {
    return {
      input,
      lane: this.#readerMemories.pack(lane),
      maxLineBytes: plan.maxLineBytes,
      whenFull: plan.whenFull,
      route: slot,
      doorbell: loop.doorbell.memory,
      plate,
    } satisfies ReaderLaneStart;
  }

  /** To be sent with lanes for the reader. */
  takeReaderMemories(): readonly WebAssembly.Memory[] {
    return this.#readerMemories.take();
  }

  get ended(): boolean {
    return this.all.every(({ ended }) => ended);
  }

  /** Every outlet is to look at its lanes and at the board. */
  callAll(): void {
    for (const { doorbell } of this.#loops) doorbell.ringAll();
  }

  /** Sends it to a loop that runs, which is to be called after it. */
  tell({ mail }: Loop, what: OutputMail): void {
    mail!.sender.postMessage(what);
  }
}

/** Loops beside each other: so many disks and name servers can hang, and no other waits. */
const MAX_LOOPS = 16;
if (MAX_LOOPS >= MAX_THREADS) throw new Error("loops would share their words");

/** The reader has nothing to do for it. */
function isComplete({ source }: InputSpec): boolean {
  return source.kind === "kept" && source.ended;
}
