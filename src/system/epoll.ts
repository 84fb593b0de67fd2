/** Waiting for many descriptors at the cost of those that are ready: epoll(7). */

import process from "node:process";
import { close } from "./descriptors.ts";
import { describeError, EINTR, ENOSPC, lastError, result } from "./errno.ts";
import { libc } from "./libc.ts";
import { addressOf } from "./memory.ts";

export const EPOLLIN = 0x1;
/** Disarms the descriptor with the event that it reports. */
export const EPOLLONESHOT = 1 << 30;
/** Reports what becomes ready, and not again and again what is. */
export const EPOLLET = 1 << 31;

const EPOLL_CLOEXEC = 0o2000000;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLL_CTL_MOD = 3;

/** `struct epoll_event` is packed on x86-64, and aligned everywhere else. */
const EVENT_WORDS = process.arch === "x64" ? 3 : 4;
const DATA_WORD = process.arch === "x64" ? 1 : 2;
/** What one wait can report; what does not fit is reported by the next. */
const MAX_EVENTS = 256;

/** Of a descriptor that cannot be watched. @param errno see `Epoll.add` */
export function whyNotWatched(errno: number): string {
  const reason = describeError(errno);
  return errno === ENOSPC ? `${reason}; raise fs.epoll.max_user_watches` : reason;
}

/**
 * Descriptors that are watched until they are forgotten, each with a token that comes
 * back with its events. One thread only.
 */
export class Epoll {
  readonly #descriptor: number;
  readonly #events = new Int32Array(MAX_EVENTS * EVENT_WORDS);
  readonly #eventsAddress: number;
  readonly #request = new Int32Array(EVENT_WORDS);
  readonly #requestAddress: number;
  #ready = 0;

  /** @throws Error when the process has no descriptor left. */
  constructor() {
    this.#eventsAddress = addressOf(new Uint8Array(this.#events.buffer));
    this.#requestAddress = addressOf(new Uint8Array(this.#request.buffer));
    this.#descriptor = result(libc().call.epoll_create1(EPOLL_CLOEXEC));
    if (this.#descriptor < 0) {
      throw new Error(`epoll_create1 failed: ${describeError(-this.#descriptor)}`);
    }
  }

  /**
   * Watches a descriptor for the first time. `-EPERM` for a regular file, which is
   * always ready, and which nothing can wait for.
   */
  add(descriptor: number, events: number, token: number): number {
    return this.#control(EPOLL_CTL_ADD, descriptor, events, token);
  }

  /** As `add`. @throws Error when it cannot be watched; the message says what to raise. */
  addOrThrow(descriptor: number, events: number, token: number): void {
    const outcome = this.add(descriptor, events, token);
    if (outcome < 0) throw new Error(`epoll_ctl failed: ${whyNotWatched(-outcome)}`);
  }

  /** Changes what a watched descriptor is watched for, or arms it again. */
  change(descriptor: number, events: number, token: number): number {
    return this.#control(EPOLL_CTL_MOD, descriptor, events, token);
  }

  /** To be called before the descriptor is closed. */
  forget(descriptor: number): void {
    this.#control(EPOLL_CTL_DEL, descriptor, 0, 0);
  }

  /** Waits until a descriptor is ready or the time is over (-1: for ever). */
  wait(timeoutMs: number): void {
    const ready = libc().call.epoll_wait(
      this.#descriptor,
      this.#eventsAddress,
      MAX_EVENTS,
      timeoutMs,
    );
    this.#ready = Math.max(0, ready);
    if (ready >= 0) return;
    const error = lastError();
    if (error !== -EINTR) throw new Error(`epoll_wait failed: ${describeError(-error)}`);
  }

  /** How many descriptors the last wait has reported. */
  get ready(): number {
    return this.#ready;
  }

  /** The token of one of them, from 0 to `ready - 1`. */
  token(index: number): number {
    return this.#events[index * EVENT_WORDS + DATA_WORD]!;
  }

  close(): void {
    close(this.#descriptor);
  }

  #control(operation: number, descriptor: number, events: number, token: number): number {
    this.#request[0] = events;
    this.#request[DATA_WORD] = token;
    this.#request[DATA_WORD + 1] = 0;
    return result(
      libc().call.epoll_ctl(
        this.#descriptor,
        operation,
        descriptor,
        this.#requestAddress,
      ),
    );
  }
}
