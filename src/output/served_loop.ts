import { clear } from "../system/event_counter.ts";
import { poll, POLLIN } from "../system/poll.ts";
import type { Doorbell } from "../threads/doorbell.ts";
import type { OutletQueue, Place } from "./outlet_queue.ts";

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
  /** Promises that outlets wait for. */
  #underway = 0;
  #wake: (() => void) | undefined;
  readonly #onResting = (place: Place) => this.#watch(place);

  /** @param queue of the same doorbell */
  constructor(doorbell: Doorbell, queue: OutletQueue) {
    this.#doorbell = doorbell;
    this.#queue = queue;
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
      queue.step(nowMs, this.#onResting);
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
      const { counter } = this.#doorbell.memory;
      if (poll(counter, POLLIN, Math.ceil(restMs)) !== 0) clear(counter);
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
