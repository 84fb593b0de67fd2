import { clear } from "../system/event_counter.ts";
import { POLLIN, PollSet } from "../system/poll.ts";
import type { Doorbell } from "../threads/doorbell.ts";
import type { Outlet } from "./outlet.ts";
import {
  type Arrivals,
  type OutletEvents,
  OutletQueue,
  type Place,
} from "./outlet_queue.ts";

/**
 * While something is under way the event loop has to run, and nothing that can wait in
 * it can be woken from another thread; so the doorbell is looked at so often.
 */
const LOOK_MS = 5;
/** Idle connections have their events served so often. */
const IDLE_TURN_MS = 1000;

/**
 * The output loop of outlets whose sinks live in the event loop: TLS, HTTP and client
 * libraries. It blocks its thread only while none of them has anything under way.
 */
export class ServedLoop {
  readonly #doorbell: Doorbell;
  readonly #queue: OutletQueue;
  readonly #poll = new PollSet(1);
  /** Promises that outlets wait for. */
  #underway = 0;
  #wake: (() => void) | undefined;
  readonly #onWaiting = (place: Place) => this.#watch(place);

  constructor(doorbell: Doorbell, arrivals?: Arrivals) {
    this.#doorbell = doorbell;
    this.#queue = new OutletQueue(doorbell, arrivals);
    this.#poll.watch(0, doorbell.memory.counter, POLLIN);
  }

  /** See `OutletQueue.add`. */
  add(plate: number, outlet: Outlet, events: OutletEvents): void {
    this.#queue.add(plate, outlet, events);
  }

  /** See `OutletQueue.close`. */
  close(plate: number): void {
    this.#queue.close(plate);
  }

  /** See `OutletQueue.at`. */
  at(plate: number): Outlet | undefined {
    return this.#queue.at(plate);
  }

  /** Until every outlet has ended. */
  async run(): Promise<void> {
    const queue = this.#queue;
    while (!queue.ended) {
      const nowMs = performance.now();
      if (!queue.gather(nowMs)) {
        const restMs = queue.restMs(nowMs);
        if (this.#underway > 0) await this.#turn(Math.min(restMs, LOOK_MS));
        else this.#sleep(Math.min(restMs, IDLE_TURN_MS));
      }
      queue.step(nowMs, this.#onWaiting);
      // What was given to connections goes out, and what came from them is seen.
      await this.#turn(0);
    }
  }

  /** Lets the event loop run until something under way has ended, or the time is over. */
  #turn(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #sleep(restMs: number): void {
    if (this.#doorbell.beginSleep(this.#queue.plates)) {
      this.#poll.wait(Math.ceil(restMs));
      if (this.#poll.ready(0) !== 0) clear(this.#doorbell.memory.counter);
    }
    this.#doorbell.endSleep();
  }

  #watch(place: Place): void {
    const { promise } = place.outlet.wait;
    if (promise === undefined || promise === place.promise) return;
    place.promise = promise;
    this.#underway++;
    promise.then(() => {
      this.#underway--;
      if (place.promise === promise) place.promise = undefined;
      this.#queue.call(place.plate);
      this.#wake?.();
    });
  }
}
