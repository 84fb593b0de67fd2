import { clear } from "../system/event_counter.ts";
import { poll, POLLIN } from "../system/poll.ts";
import type { Doorbell } from "../threads/doorbell.ts";
import type { OutletQueue, Place } from "./outlet_queue.ts";

/** After something has happened more is likely to, and the event loop runs for so long … */
const BUSY_MS = 50;
/**
 * … with a look at the doorbell so often, since nothing that waits in it can be woken from
 * another thread.
 */
const LOOK_MS = 1;
/**
 * Then this thread sleeps where the doorbell wakes it, so that a peer that does not answer
 * delays nobody else's lines, and the event loop has a turn so often.
 */
const QUIET_TURN_MS = 5;
/** The same where nothing is under way: connections may be closed by their peers. */
const IDLE_TURN_MS = 1000;

/**
 * The output loop of outlets whose sinks live in the event loop: TLS, HTTP and client
 * libraries. It blocks its thread only while nothing happens in the event loop.
 */
export class ServedLoop {
  readonly #doorbell: Doorbell;
  readonly #queue: OutletQueue;
  /** Promises that outlets wait for. */
  #underway = 0;
  #wake: (() => void) | undefined;
  /** Until when something is likely to happen, on the clock of `performance.now`. */
  #busyUntilMs = 0;
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
      if (!this.#gather()) {
        await this.#rest();
        this.#gather();
      }
      queue.step(performance.now(), this.#onResting);
      // What was given to connections goes out, and what came from them is seen.
      await this.#turn(0);
    }
  }

  /** False when no outlet is to be stepped. */
  #gather(): boolean {
    const nowMs = performance.now();
    if (!this.#queue.gather(nowMs)) return false;
    this.#busyUntilMs = nowMs + BUSY_MS;
    return true;
  }

  /** Until somebody is called, or for a while. */
  async #rest(): Promise<void> {
    const nowMs = performance.now();
    const restMs = this.#queue.restMs(nowMs);
    if (this.#underway === 0) this.#sleep(Math.min(restMs, IDLE_TURN_MS));
    else if (nowMs < this.#busyUntilMs) await this.#turn(Math.min(restMs, LOOK_MS));
    else this.#sleep(Math.min(restMs, QUIET_TURN_MS));
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
