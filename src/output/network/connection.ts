import { close } from "../../system/descriptors.ts";
import { describeError, EAGAIN } from "../../system/errno.ts";
import {
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  POLLRDHUP,
  PollSet,
} from "../../system/poll.ts";
import {
  discardInput,
  send,
  shutdownSending,
  socketError,
  unacknowledgedBytes,
} from "../../system/sockets.ts";
import { tuneTcp, unansweredForMs } from "../../system/tcp.ts";
import { connectTo, type Peer } from "./peer.ts";
import type { ResendWindow } from "./resend_window.ts";
import { CLOSED, type Look, type StreamConnection } from "./stream_connection.ts";

/** A connection over a socket of our own, which tells how much has arrived. */
export class Connection implements StreamConnection {
  readonly #socket: number;
  readonly #isTcp: boolean;
  readonly #timeoutMs: number;
  readonly #poll = new PollSet(1);
  /** The peer sends no more; it may have closed, or go on reading. */
  #peerEnded = false;
  /** What `send` has found wrong; the socket tells it only once. */
  #sendErrno = 0;

  /** @throws SinkFailure, SinkError; see `connectTo` */
  constructor(name: string, peer: Peer, timeoutMs: number) {
    this.#socket = connectTo(name, peer, "stream", timeoutMs);
    this.#isTcp = "port" in peer;
    this.#timeoutMs = timeoutMs;
    if (this.#isTcp) tuneTcp(this.#socket, timeoutMs);
  }

  /** Stops when the system has no room, or when something is wrong that `look` will tell. */
  send(window: ResendWindow): void {
    while (window.unsentBytes > 0) {
      const count = send(this.#socket, window.unsentAddress, window.unsentBytes);
      if (count < 0 && count !== -EAGAIN) this.#sendErrno = -count;
      if (count <= 0) return;
      window.sent(count);
    }
  }

  wait(forRoom: boolean, timeoutMs: number): void {
    const events = (forRoom ? POLLOUT : 0) | (this.#peerEnded ? 0 : POLLIN | POLLRDHUP);
    this.#poll.watch(0, this.#socket, events);
    this.#poll.wait(Math.ceil(timeoutMs));
  }

  look(): Look {
    const before = unacknowledgedBytes(this.#socket);
    this.wait(false, 0);
    const events = this.#poll.ready(0);
    let errno = this.#sendErrno;
    if (events !== 0 && errno === 0) errno = this.#receive(events);
    if (errno !== 0 || (events & (POLLERR | POLLHUP)) !== 0) return this.#broken(errno);
    if (!this.#isTcp || unansweredForMs(this.#socket) < this.#timeoutMs) {
      return { unacknowledgedBytes: before };
    }
    return {
      unacknowledgedBytes: before,
      broken: `it has not answered for ${this.#timeoutMs / 1000} s`,
    };
  }

  /** Whatever the peer sends is not asked for; only that it ends, or fails. */
  #receive(events: number): number {
    if ((events & POLLERR) !== 0) return socketError(this.#socket);
    const { ended, errno } = discardInput(this.#socket);
    this.#peerEnded ||= ended;
    return errno;
  }

  #broken(errno: number): Look {
    return {
      // A Unix socket counts as read what its peer has left behind.
      unacknowledgedBytes: this.#isTcp ? unacknowledgedBytes(this.#socket) : Infinity,
      broken: errno === 0 ? CLOSED : describeError(errno),
    };
  }

  sayGoodbye(timeoutMs: number): string | undefined {
    const end = performance.now() + timeoutMs;
    shutdownSending(this.#socket);
    for (;;) {
      const { broken } = this.look();
      if (broken === CLOSED || this.#peerEnded) return undefined;
      if (broken !== undefined) return broken;
      const left = end - performance.now();
      if (left <= 0) return undefined;
      this.wait(false, left);
    }
  }

  close(): void {
    close(this.#socket);
  }
}
