import { InputError } from "../errors.ts";
import { leaveGarbage } from "../runtime/garbage.ts";
import { EPERM } from "../system/errno.ts";
import { EPOLLIN, whyNotWatched } from "../system/epoll.ts";
import type { Board, Steps } from "../threads/board.ts";
import { pushBeforeOthers } from "./arrival_order.ts";
import type { InputLoop } from "./input_loop.ts";

/** The token of the counter that wakes the reader; those of inputs count from 0. */
export const WAKE_UP = -1;
/** The token of what tells of names in folders. */
export const NAMES = -2;

/** What the reader waits in: an `Epoll`, or what tests put in its place. */
export interface Readiness {
  add(descriptor: number, events: number, token: number): number;
  forget(descriptor: number): void;
  /** How many descriptors the last wait has reported, and the token of each. */
  readonly ready: number;
  token(index: number): number;
}

export interface ReadLoopContext {
  readonly board: Board;
  readonly steps: Steps;
  /**
   * Takes back the wake-up: there is room again, a stop is wanted, an output is gone, or
   * there are lanes for inputs that were found.
   */
  takeWakeUp(): void;
  /** Something has happened to names in folders. */
  onNames(): void;
  /** Nothing more will be written to the output of that route. */
  isGone(route: number): boolean;
  /** Something has come in, and the control thread rests. */
  onBusy(): void;
  /** One input failed for good; the others go on. */
  onInputFailed(message: string, input: InputLoop): void;
}

/** What the loop keeps of an input. */
class Slot {
  /** The descriptor that is watched, or -1. */
  watched = -1;
  /** Nothing can wait for it, since it is always ready: a regular file. */
  isAlwaysReady = false;
  /** It has something to read. */
  isReady = false;
  /** It is served in this round. */
  isDue = false;
  /** It waits for nothing: what it can do, it can do now. */
  isEager = false;
  /** Why it cannot be watched: it fails in the next round. */
  failure: string | undefined;

  constructor(
    readonly token: number,
    readonly input: InputLoop,
    readonly route: Route,
    readonly ring: () => void,
    readonly onEnded: () => void,
  ) {}
}

/** The inputs that go to one output, whose lines are to keep their order. */
class Route {
  constructor(readonly number: number) {}

  readonly slots: Slot[] = [];
  readonly inputs: InputLoop[] = [];
  /** Somebody in it is about to read. */
  isReading = false;
  readonly isReady = (index: number) => this.slots[index]!.isReady;
}

/**
 * One round of the reader: what it has to wait for, and what is due when it has waited.
 * A round costs what its inputs cost that have something to do, however many others
 * there are. Loops instead of closures: they run for every read, and garbage in this
 * thread is a pause for the writer. Reader thread only.
 */
export class ReadLoop {
  /** By their tokens, of which those of inputs that have ended are given again. */
  readonly #slots: (Slot | undefined)[] = [];
  readonly #freeTokens: number[] = [];
  readonly #routes = new Map<number, Route>();
  readonly #readiness: Readiness;
  readonly #context: ReadLoopContext;
  /** Who is served in this round, and had been in the last. */
  #round: Slot[] = [];
  readonly #served: InputLoop[] = [];
  #open = 0;
  /** No input is due before; there may be none that is due then. */
  #nextDueMs = Infinity;
  /** How many are eager. */
  #eager = 0;
  /** All inputs were looked at in this round, and not only those that were reported. */
  #lookedAtAll = false;
  #stopping = false;

  constructor(readiness: Readiness, context: ReadLoopContext) {
    this.#readiness = readiness;
    this.#context = context;
  }

  /**
   * @param route a number that inputs share whose lines go to one output
   * @param ring says that something was put into the input's ring
   * @param onEnded nothing more is read, and its descriptor is closed
   */
  add(input: InputLoop, route: number, ring: () => void, onEnded = () => {}): void {
    const found = this.#routes.get(route) ?? new Route(route);
    this.#routes.set(route, found);
    const token = this.#freeTokens.pop() ?? this.#slots.length;
    const slot = new Slot(token, input, found, ring, onEnded);
    found.slots.push(slot);
    found.inputs.push(input);
    this.#slots[token] = slot;
    this.#open++;
    input.beforeClosing = () => this.#watch(slot, -1);
    this.#await(slot);
  }

  #remove({ token, route, input, onEnded }: Slot): void {
    this.#open--;
    this.#slots[token] = undefined;
    this.#freeTokens.push(token);
    const index = route.inputs.indexOf(input);
    route.inputs.splice(index, 1);
    route.slots.splice(index, 1);
    if (route.slots.length === 0) this.#routes.delete(route.number);
    onEnded();
    leaveGarbage();
  }

  get ended(): boolean {
    return this.#open === 0;
  }

  /** In the next round all are asked whether something is due. */
  lookAtAll(): void {
    this.#nextDueMs = 0;
  }

  /** The inputs that were served in the last round. */
  get served(): readonly InputLoop[] {
    return this.#served;
  }

  /** How long the reader may wait, in ms; -1: for ever. */
  timeoutMs(nowMs: number): number {
    if (this.#eager > 0) return 0;
    return this.#nextDueMs === Infinity
      ? -1
      : Math.max(0, Math.ceil(this.#nextDueMs - nowMs));
  }

  /** Does what is due after the wait. @param nowMs monotonic, since then */
  serve(nowMs: number): void {
    const { board, steps } = this.#context;
    steps.begin();
    this.#gather(nowMs);
    this.#keepOrder();
    let news = false;
    this.#served.length = 0;
    for (const slot of this.#round) {
      this.#serve(slot, nowMs);
      if (!slot.input.framer.takeNews()) continue;
      // A look at the name of a FIFO, for one, is nothing that others must wake for.
      slot.ring();
      news = true;
    }
    this.#settle();
    steps.end();
    if (news && board.endRest()) this.#context.onBusy();
  }

  /** Finds out who is due: who has something to read, whose time has come, or everybody. */
  #gather(nowMs: number): void {
    let woken = false;
    let named = false;
    for (let index = 0; index < this.#readiness.ready; index++) {
      const token = this.#readiness.token(index);
      if (token === WAKE_UP) woken = true;
      else if (token === NAMES) named = true;
      else this.#call(this.#slots[token]!, true);
    }
    if (woken) this.#context.takeWakeUp();
    if (named) this.#context.onNames();
    // Asked after the wake-up was taken, which may be the one that came with it.
    const stops = !this.#stopping && this.#context.board.stopRequested;
    this.#stopping ||= stops;
    const due = named || nowMs >= this.#nextDueMs || this.#eager > 0;
    this.#lookedAtAll = woken || stops || due;
    if (!this.#lookedAtAll) return;
    for (const slot of this.#slots) {
      if (slot === undefined) continue;
      const { input, isEager } = slot;
      if (isEager) this.#call(slot, slot.isAlwaysReady);
      else if (woken || stops || input.deadlineMs <= nowMs) this.#call(slot, false);
    }
  }

  #call(slot: Slot, isReady: boolean): void {
    if (slot.input.ended) return;
    if (isReady) slot.isReady = slot.route.isReading = true;
    if (slot.isDue) return;
    slot.isDue = true;
    this.#round.push(slot);
  }

  #keepOrder(): void {
    for (const { route } of this.#round) {
      if (!route.isReading) continue;
      route.isReading = false;
      if (route.slots.length > 1) pushBeforeOthers(route.inputs, route.isReady);
    }
  }

  #serve(slot: Slot, nowMs: number): void {
    const { input, isReady, route, failure } = slot;
    slot.failure = undefined;
    this.#served.push(input);
    if (this.#lookedAtAll && this.#context.isGone(route.number)) {
      input.abandon();
      return;
    }
    try {
      if (failure !== undefined) throw new InputError(failure);
      input.serve(isReady, this.#stopping, nowMs);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      this.#context.onInputFailed(error.message, input);
      input.finish();
    }
  }

  /** After the round: who waits for what. */
  #settle(): void {
    if (this.#lookedAtAll) {
      this.#nextDueMs = Infinity;
      for (const slot of this.#slots) if (slot !== undefined) this.#noteDeadline(slot);
    }
    for (const slot of this.#round) {
      slot.isDue = slot.isReady = false;
      this.#await(slot);
      if (slot.input.ended) this.#remove(slot);
    }
    this.#round.length = 0;
  }

  #noteDeadline({ input }: Slot): void {
    if (!input.ended) this.#nextDueMs = Math.min(this.#nextDueMs, input.deadlineMs);
  }

  /** Sees to it that the input is served when there is something to do for it. */
  #await(slot: Slot): void {
    const { input } = slot;
    this.#noteDeadline(slot);
    this.#watch(slot, input.wantsInput ? input.source.descriptor : -1);
    const goesOn = input.hurries || slot.isAlwaysReady && input.wantsInput;
    const isEager = !input.ended && (goesOn || slot.failure !== undefined);
    if (isEager !== slot.isEager) this.#eager += isEager ? 1 : -1;
    slot.isEager = isEager;
  }

  #watch(slot: Slot, descriptor: number): void {
    if (slot.watched === descriptor) return;
    if (slot.watched >= 0 && !slot.isAlwaysReady) this.#readiness.forget(slot.watched);
    slot.watched = descriptor;
    slot.isAlwaysReady = false;
    if (descriptor < 0) return;
    const outcome = this.#readiness.add(descriptor, EPOLLIN, slot.token);
    slot.isAlwaysReady = outcome === -EPERM;
    if (outcome >= 0 || outcome === -EPERM) return;
    slot.watched = -1;
    slot.failure = `cannot watch ${slot.input.source.name}: ${whyNotWatched(-outcome)}`;
  }
}
