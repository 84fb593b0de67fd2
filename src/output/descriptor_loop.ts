import { collectGarbage } from "../runtime/garbage.ts";
import { ENOENT } from "../system/errno.ts";
import { Epoll, EPOLLET, EPOLLIN, EPOLLONESHOT } from "../system/epoll.ts";
import type { Doorbell } from "../threads/doorbell.ts";
import type { OutletQueue, Place } from "./outlet_queue.ts";

/** The token of the doorbell; those of outlets are their plates. */
const DOORBELL = -1;

/**
 * The output loop of outlets that write to descriptors: waits for all of them, and for
 * whoever rings, in one epoll_wait(2). It blocks its thread.
 */
export class DescriptorLoop {
  readonly #doorbell: Doorbell;
  readonly #queue: OutletQueue;
  readonly #epoll = new Epoll();
  /** How many places have a descriptor that is waited for. */
  #armed = 0;
  readonly #isArmed: boolean[] = [];
  readonly #onResting = (place: Place) => this.#arm(place);

  /** @param queue of the same doorbell */
  constructor(doorbell: Doorbell, queue: OutletQueue) {
    this.#doorbell = doorbell;
    this.#queue = queue;
    // Every ring is reported once, and nobody has to read the counter.
    this.#epoll.addOrThrow(doorbell.memory.counter, EPOLLIN | EPOLLET, DOORBELL);
  }

  /** Until every outlet has ended. */
  run(): void {
    const queue = this.#queue;
    while (!queue.ended) {
      const nowMs = performance.now();
      collectGarbage(nowMs);
      const busy = queue.gather(nowMs);
      if (!busy) this.#sleep(queue.restMs(nowMs));
      // A busy outlet does not keep others from finding theirs writable.
      else if (this.#armed > 0) this.#poll(0);
      queue.step(nowMs, this.#onResting);
    }
    this.#epoll.close();
  }

  #sleep(restMs: number): void {
    if (this.#doorbell.beginSleep(this.#queue.plates)) {
      this.#poll(restMs === Infinity ? -1 : Math.ceil(restMs));
    }
    this.#doorbell.endSleep();
  }

  #poll(timeoutMs: number): void {
    this.#epoll.wait(timeoutMs);
    for (let index = 0; index < this.#epoll.ready; index++) {
      const token = this.#epoll.token(index);
      if (token === DOORBELL) continue;
      this.#disarm(token);
      this.#queue.call(token);
    }
  }

  #arm({ plate, outlet: { wait } }: Place): void {
    this.#disarm(plate);
    if (wait.descriptor < 0) return;
    const events = wait.events | EPOLLONESHOT;
    // The number may be that of another file by now: what was closed was forgotten.
    const outcome = this.#epoll.change(wait.descriptor, events, plate);
    const added = outcome === -ENOENT
      ? this.#epoll.add(wait.descriptor, events, plate)
      : outcome;
    // A file is always ready: whatever was wrong with it may be over already.
    if (added < 0) {
      this.#queue.call(plate);
      return;
    }
    this.#isArmed[plate] = true;
    this.#armed++;
  }

  /** It may still be reported, once: then a step finds out that it was for nothing. */
  #disarm(plate: number): void {
    if (!this.#isArmed[plate]) return;
    this.#isArmed[plate] = false;
    this.#armed--;
  }
}
