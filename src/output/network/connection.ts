import { SinkError, SinkFailure } from "../../errors.ts";
import { close } from "../../platform/posix/descriptors.ts";
import {
  describeError,
  EACCES,
  EAGAIN,
  ENOENT,
  EPERM,
  EPROTOTYPE,
  ETIMEDOUT,
} from "../../platform/posix/errno.ts";
import { status } from "../../platform/posix/file_status.ts";
import {
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  POLLRDHUP,
  PollSet,
} from "../../platform/posix/poll.ts";
import {
  resolve,
  type SocketAddress,
  type SocketType,
  unixAddress,
} from "../../platform/posix/socket_addresses.ts";
import {
  connect,
  connected,
  discardInput,
  send,
  shutdownSending,
  socketError,
  unacknowledgedBytes,
} from "../../platform/posix/sockets.ts";
import { tuneTcp, unansweredForMs } from "../../platform/posix/tcp.ts";

/** Where to connect to. */
export type Peer =
  | { readonly host: string; readonly port: number }
  | { readonly path: string };

/**
 * A connected socket, tried at all addresses of the peer. Blocks for up to
 * `timeoutMs` an address, and as long as the name servers take.
 *
 * @param name how messages call the peer
 * @throws SinkFailure when it may work later, SinkError when it cannot.
 */
export function connectTo(
  name: string,
  peer: Peer,
  type: SocketType,
  timeoutMs: number,
): number {
  const addresses = "path" in peer
    ? [unixAddress(peer.path)]
    : resolve(peer.host, peer.port, type);
  if (typeof addresses === "string") {
    throw new SinkFailure(`cannot find ${name}: ${addresses}`);
  }
  let errno = ETIMEDOUT;
  for (const address of addresses) {
    const socket = connectAddress(address, type, timeoutMs);
    if (socket >= 0) return socket;
    errno = -socket;
  }
  const reason = describeError(errno);
  if (errno === EACCES || errno === EPERM) {
    throw new SinkError(
      `cannot connect to ${name}: ${reason}; this user needs the right to write to it`,
    );
  }
  if (errno === EPROTOTYPE) {
    throw new SinkError(
      `cannot connect to ${name}: ${reason}; use ${
        type === "stream" ? "syslog+unix:PATH" : "unix:PATH"
      } for a ${type === "stream" ? "datagram" : "stream"} socket`,
    );
  }
  throw new SinkFailure(`cannot connect to ${name}: ${reason}`);
}

function connectAddress(address: SocketAddress, type: SocketType, timeoutMs: number) {
  const socket = connect(address, type);
  if (socket < 0 || type === "datagram") return socket;
  const outcome = connected(socket, timeoutMs);
  if (outcome === 0) return socket;
  close(socket);
  return outcome;
}

/** @throws SinkError when no socket can ever be at this path. */
export function checkUnixPath(name: string, path: string): void {
  const found = status(path);
  if (typeof found !== "number") {
    if (found.kind === "socket") return;
    throw new SinkError(
      `cannot connect to ${name}: not a socket but a ${found.kind}; name the socket that the receiver listens on`,
    );
  }
  const folder = path.replace(/[^/]*$/, "") || ".";
  const folderFound = status(folder);
  if (found === -ENOENT && typeof folderFound !== "number") return;
  throw new SinkError(
    `cannot connect to ${name}: ${
      describeError(-found)
    }; its folder must exist and be open to this user`,
  );
}

/** What a break without an error is called. */
const CLOSED = "it was closed at the other end";

/** What is known of a connection at one moment. */
export interface Look {
  /** Bytes that were sent and may not have arrived. */
  readonly unacknowledgedBytes: number;
  /** Why the connection is no more. */
  readonly broken?: string;
}

/**
 * A stream connection to one peer: sends without blocking, and knows how much of it
 * has arrived. Flusher thread only.
 */
export class Connection {
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

  /**
   * How many bytes the system has taken; 0 when it has no room, or when something is
   * wrong that `look` will tell.
   */
  send(address: number, length: number): number {
    const count = send(this.#socket, address, length);
    if (count < 0 && count !== -EAGAIN) this.#sendErrno = -count;
    return Math.max(0, count);
  }

  /** Waits until there may be room (if asked for), something has happened, or the time is over. */
  wait(forRoom: boolean, timeoutMs: number): void {
    const events = (forRoom ? POLLOUT : 0) | (this.#peerEnded ? 0 : POLLIN | POLLRDHUP);
    this.#poll.watch(0, this.#socket, events);
    this.#poll.wait(Math.ceil(timeoutMs));
  }

  /** Does not block. */
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

  /**
   * Says that no more comes, and waits until the peer has read it all and closed, or
   * the time is over. Returns what went wrong, if anything did.
   */
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
