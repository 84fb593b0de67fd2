/**
 * Sockets with the system's own descriptors. `node:net` hides how much of what was
 * written has not been acknowledged, cannot look for a broken connection without
 * turning the event loop, and has no Unix datagrams.
 *
 * Conventions as in `errno.ts`. No call blocks. Structures are those of glibc and musl
 * on 64-bit machines.
 */

import { EAGAIN, ECONNREFUSED, EINPROGRESS, result, retried } from "./errno.ts";
import { libc } from "./libc.ts";
import { addressOf } from "./memory.ts";
import { poll, POLLOUT } from "./poll.ts";
import {
  familyOf,
  SOCK_DGRAM,
  SOCK_STREAM,
  type SocketAddress,
  type SocketType,
} from "./socket_addresses.ts";
import { getOption, SOL_SOCKET } from "./socket_options.ts";
import { isConnectedWithItself } from "./tcp.ts";

const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SO_TYPE = 3;
const SO_ERROR = 4;
const SO_ACCEPTCONN = 30;
const SIOCOUTQ = 0x5411;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const SHUT_WR = 1;
const SHUT_RDWR = 2;

/**
 * A socket on its way to be connected: done when it is writable. Datagram sockets
 * are connected at once.
 */
export function connect(address: SocketAddress, type: SocketType): number {
  const flags = SOCK_CLOEXEC | (type === "stream" ? SOCK_NONBLOCK : 0);
  const kind = type === "stream" ? SOCK_STREAM : SOCK_DGRAM;
  const socket = result(libc().call.socket(familyOf(address), kind | flags, 0));
  if (socket < 0) return socket;
  const at = addressOf(address);
  const outcome = retried(() => libc().call.connect(socket, at, address.length));
  if (outcome >= 0 || outcome === -EINPROGRESS) return socket;
  libc().call.close(socket);
  return outcome;
}

/** Whether a connect is done: 0, `-EINPROGRESS`, or why it failed. */
export function connected(socket: number): number {
  if (poll(socket, POLLOUT, 0) === 0) return -EINPROGRESS;
  const errno = socketError(socket);
  if (errno !== 0) return -errno;
  return isConnectedWithItself(socket) ? -ECONNREFUSED : 0;
}

/** The error that waits at a socket, which is thereby taken from it; 0 for none. */
export function socketError(socket: number): number {
  const found = getOption(socket, SOL_SOCKET, SO_ERROR, 4);
  return typeof found === "number" ? -found : found.getInt32(0, true);
}

/** What comes out of a socket: bytes, messages that read(2) would cut, or connections. */
export function socketKind(socket: number): "stream" | "messages" | "listener" {
  const is = (option: number, value: number) => {
    const found = getOption(socket, SOL_SOCKET, option, 4);
    return typeof found !== "number" && found.getInt32(0, true) === value;
  };
  if (is(SO_ACCEPTCONN, 1)) return "listener";
  return is(SO_TYPE, SOCK_STREAM) ? "stream" : "messages";
}

/** Gives bytes to a stream socket, which may take fewer. */
export function send(socket: number, address: number, length: number): number {
  const flags = MSG_NOSIGNAL | MSG_DONTWAIT;
  return retried(() => libc().call.send(socket, address, length, flags));
}

/** Gives a datagram, whole or not at all; `-EAGAIN` while a local receiver has no room. */
export function sendDatagram(socket: number, address: number, length: number): number {
  const flags = MSG_NOSIGNAL | MSG_DONTWAIT;
  return retried(() => libc().call.send(socket, address, length, flags));
}

const DISCARD_BYTES = 64 * 1024;
const discarded = new Uint8Array(DISCARD_BYTES);
/** What a peer has sent that should not send is thrown away in so many steps at most. */
const MAX_DISCARDS = 64;

/**
 * Throws away what the peer has sent. `ended`: it has shut down its sending side,
 * which is how a peer that closes in order says so.
 */
export function discardInput(socket: number): { ended: boolean; errno: number } {
  const at = addressOf(discarded);
  for (let step = 0; step < MAX_DISCARDS; step++) {
    const count = retried(() =>
      libc().call.recv(socket, at, DISCARD_BYTES, MSG_DONTWAIT)
    );
    if (count === 0) return { ended: true, errno: 0 };
    if (count < 0) return { ended: false, errno: count === -EAGAIN ? 0 : -count };
  }
  return { ended: false, errno: 0 };
}

/** No more will be sent; the peer sees the end after what is under way. */
export function shutdownSending(socket: number): number {
  return result(libc().call.shutdown(socket, SHUT_WR));
}

/** Ends whatever waits for the peer; what is sent and received after that is nothing. */
export function breakOff(socket: number): number {
  return result(libc().call.shutdown(socket, SHUT_RDWR));
}

const outputQueue = new Int32Array(1);

/**
 * Bytes that the peer's system has not acknowledged (TCP), or at least as many as
 * the peer has not read (Unix); see tcp(7) and unix(7). Also after the connection
 * has broken.
 */
export function unacknowledgedBytes(socket: number): number {
  const at = addressOf(new Uint8Array(outputQueue.buffer));
  const outcome = result(libc().call.ioctl(socket, SIOCOUTQ, at));
  return outcome < 0 ? outcome : outputQueue[0]!;
}
