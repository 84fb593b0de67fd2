import { close } from "../../system/descriptors.ts";
import { describeError, EAGAIN } from "../../system/errno.ts";
import { poll, POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDHUP } from "../../system/poll.ts";
import {
  discardInput,
  send,
  shutdownSending,
  socketError,
  unacknowledgedBytes,
} from "../../system/sockets.ts";
import { tuneTcp } from "../../system/tcp.ts";
import type { Wait } from "../wait.ts";
import { Connecting } from "./connecting.ts";
import type { Peer } from "./peer.ts";
import type { ResendWindow } from "./resend_window.ts";
import {
  CLOSED,
  type Look,
  silence,
  type StreamConnection,
} from "./stream_connection.ts";

/** A connection over a socket of our own, which tells how much has arrived. */
export class SocketConnection implements StreamConnection {
  readonly #connecting: Connecting;
  readonly #isTcp: boolean;
  readonly #timeoutMs: number;
  #socket: number | undefined;
  /** The peer sends no more; it may have closed, or go on reading. */
  #peerEnded = false;
  /** What `send` has found wrong; the socket tells it only once. */
  #sendErrno = 0;

  /** @throws TemporaryError, PermanentError; see `Connecting` */
  constructor(name: string, peer: Peer, timeoutMs: number) {
    this.#connecting = new Connecting(name, peer, timeoutMs);
    this.#isTcp = "port" in peer;
    this.#timeoutMs = timeoutMs;
  }

  get connected(): boolean {
    if (this.#socket !== undefined) return true;
    this.#socket = this.#connecting.advance();
    if (this.#socket === undefined) return false;
    if (this.#isTcp) tuneTcp(this.#socket, this.#timeoutMs);
    return true;
  }

  /** Stops when the system has no room, or when something is wrong that `look` will tell. */
  send(window: ResendWindow): void {
    while (window.unsentBytes > 0) {
      const count = send(this.#socket!, window.unsentAddress, window.unsentBytes);
      if (count < 0 && count !== -EAGAIN) this.#sendErrno = -count;
      if (count <= 0) return;
      window.sent(count);
    }
  }

  await(wait: Wait, forRoom: boolean): void {
    if (this.#socket === undefined) {
      this.#connecting.await(wait);
      return;
    }
    wait.forDescriptor(this.#socket, this.#events(forRoom));
  }

  #events(forRoom: boolean): number {
    return (forRoom ? POLLOUT : 0) | (this.#peerEnded ? 0 : POLLIN | POLLRDHUP);
  }

  look(): Look {
    const socket = this.#socket!;
    const before = unacknowledgedBytes(socket);
    const events = poll(socket, this.#events(false), 0);
    let errno = this.#sendErrno;
    if (events !== 0 && errno === 0) errno = this.#receive(socket, events);
    if (errno !== 0 || (events & (POLLERR | POLLHUP)) !== 0) {
      return this.#broken(socket, errno);
    }
    const broken = this.#isTcp ? silence(socket, this.#timeoutMs) : undefined;
    return { unacknowledgedBytes: before, ...(broken && { broken }) };
  }

  /** Whatever the peer sends is not asked for; only that it ends, or fails. */
  #receive(socket: number, events: number): number {
    if ((events & POLLERR) !== 0) return socketError(socket);
    const { ended, errno } = discardInput(socket);
    this.#peerEnded ||= ended;
    return errno;
  }

  #broken(socket: number, errno: number): Look {
    return {
      // A Unix socket counts as read what its peer has left behind.
      unacknowledgedBytes: this.#isTcp ? unacknowledgedBytes(socket) : Infinity,
      broken: errno === 0 ? CLOSED : describeError(errno),
    };
  }

  sayGoodbye(): void {
    shutdownSending(this.#socket!);
  }

  get left(): { readonly broken?: string } | undefined {
    const { broken } = this.look();
    if (broken === CLOSED || this.#peerEnded) return {};
    return broken === undefined ? undefined : { broken };
  }

  close(): void {
    this.#connecting.close();
    if (this.#socket !== undefined) close(this.#socket);
    // By the next call another thread may have got the number.
    this.#socket = undefined;
  }
}
