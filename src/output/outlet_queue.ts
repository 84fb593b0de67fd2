import type { Doorbell } from "../threads/doorbell.ts";
import type { Outlet, Stepped } from "./outlet.ts";

/** What its owner hears of an outlet when there is nothing more to do for it. */
export interface OutletEvents {
  onEnded(): void;
  /** Its sink will never take anything again, or it is a fault of this program. */
  onFailed(error: unknown): void;
}

/** Outlets and lanes that come while the loop runs, which is called when some have. */
export interface LoopArrivals {
  /** Adds what has come since the last time. */
  take(): void;
  /** Nothing more will come. */
  readonly over: boolean;
}

/** An outlet and its place in its loop. */
export class Place {
  queued = false;
  /** When it is to be stepped at the latest, on the clock of `performance.now`. */
  dueMs = Infinity;
  /** What it was seen to wait for, by a loop that serves promises. */
  promise: Promise<void> | undefined;

  constructor(
    readonly plate: number,
    readonly outlet: Outlet,
    readonly events: OutletEvents,
  ) {}
}

/**
 * Which outlets of a loop are to be stepped now: those that the doorbell called, those
 * whose time has come, and those that have not done all they could. How it waits for
 * the rest is the loop's. One thread only.
 */
export class OutletQueue {
  readonly #places = new Set<Place>();
  readonly #byPlate: (Place | undefined)[] = [];
  readonly #doorbell: Doorbell;
  readonly #arrivals: LoopArrivals | undefined;
  #ready: Place[] = [];
  #stepping: Place[] = [];
  /** No place is due before; there may be none that is due then. */
  #nextDueMs = Infinity;
  readonly #call = (plate: number) => this.call(plate);

  constructor(doorbell: Doorbell, arrivals?: LoopArrivals) {
    this.#doorbell = doorbell;
    this.#arrivals = arrivals;
  }

  /** @param plate its own at the doorbell */
  add(plate: number, outlet: Outlet, events: OutletEvents): void {
    const place = new Place(plate, outlet, events);
    this.#places.add(place);
    this.#byPlate[plate] = place;
    this.call(plate);
  }

  /** The outlet at that plate, unless it has ended. */
  at(plate: number): Outlet | undefined {
    return this.#byPlate[plate]?.outlet;
  }

  /** No lane comes to that outlet any more. */
  close(plate: number): void {
    this.at(plate)?.close();
    this.call(plate);
  }

  /** As many as the doorbell has to be asked for. */
  get plates(): number {
    return this.#byPlate.length;
  }

  /** Every outlet has ended, and no other will come. */
  get ended(): boolean {
    return this.#places.size === 0 && (this.#arrivals?.over ?? true);
  }

  /** It is to be stepped. */
  call(plate: number): void {
    const place = this.#byPlate[plate];
    if (place === undefined || place.queued) return;
    place.queued = true;
    this.#ready.push(place);
  }

  /** Finds out who is to be stepped. False when none is. */
  gather(nowMs: number): boolean {
    if (this.#doorbell.answer(this.plates, this.#call)) this.#arrivals?.take();
    if (nowMs >= this.#nextDueMs) this.#callDue(nowMs);
    return this.#ready.length > 0;
  }

  #callDue(nowMs: number): void {
    this.#nextDueMs = Infinity;
    for (const place of this.#places) {
      if (place.dueMs <= nowMs) this.call(place.plate);
      else this.#nextDueMs = Math.min(this.#nextDueMs, place.dueMs);
    }
  }

  /**
   * Steps each that is to be stepped, once.
   *
   * @param onResting what its `wait` says is to be waited for: nothing where it has ended
   */
  step(nowMs: number, onResting: (place: Place) => void): void {
    const stepping = this.#ready;
    this.#ready = this.#stepping;
    this.#stepping = stepping;
    for (const place of stepping) {
      place.queued = false;
      place.dueMs = Infinity;
      this.#doorbell.unmute(place.plate);
      const stepped = this.#stepOne(place, nowMs);
      if (stepped === "more to do") {
        this.call(place.plate);
        continue;
      }
      if (stepped === "waiting") {
        place.dueMs = place.outlet.wait.atMs;
        this.#nextDueMs = Math.min(this.#nextDueMs, place.dueMs);
        if (!place.outlet.wantsLines) this.#doorbell.mute(place.plate);
      }
      onResting(place);
    }
    stepping.length = 0;
  }

  /** Whatever goes wrong with one outlet ends that one only. */
  #stepOne(place: Place, nowMs: number): Stepped {
    try {
      const stepped = place.outlet.step(nowMs);
      if (stepped !== "ended") return stepped;
      this.#end(place);
      place.events.onEnded();
    } catch (error) {
      this.#end(place);
      place.events.onFailed(error);
    }
    return "ended";
  }

  #end(place: Place): void {
    this.#places.delete(place);
    this.#byPlate[place.plate] = undefined;
    place.outlet.wait.clear();
  }

  /** How long nothing is due, in ms; Infinity: until somebody is called. */
  restMs(nowMs: number): number {
    return Math.max(0, this.#nextDueMs - nowMs);
  }
}
