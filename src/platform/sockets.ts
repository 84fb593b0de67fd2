/**
 * Sockets with the system's own descriptors. `node:net` hides how much of what was
 * written has not been acknowledged, cannot look for a broken connection without
 * turning the event loop, and has no Unix datagrams.
 *
 * Conventions as in `posix.ts`: below zero is `-errno`. No call blocks but
 * `resolve`, and `send` on datagram sockets. Numbers are those of Linux on x86-64
 * and arm64; structures are those of glibc and musl on 64-bit machines.
 */

import { constants } from "node:os";
import { libc } from "./libc.ts";
import {
  addressOf,
  cString,
  describeError,
  EAGAIN,
  POLLOUT,
  PollSet,
  result,
  retried,
  stringAt,
} from "./posix.ts";

export const {
  EACCES,
  ECONNREFUSED,
  EINPROGRESS,
  EMSGSIZE,
  ENOENT,
  EPERM,
  EPROTOTYPE,
  ETIMEDOUT,
} = constants.errno;

const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;

const SOL_SOCKET = 1;
const SO_ERROR = 4;
const SO_KEEPALIVE = 9;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const TCP_KEEPIDLE = 4;
const TCP_KEEPINTVL = 5;
const TCP_KEEPCNT = 6;
const TCP_INFO = 11;
const SIOCOUTQ = 0x5411;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const SHUT_WR = 1;

/** How a socket delivers. */
export type SocketType = "stream" | "datagram";

/** A `struct sockaddr`; the first two bytes are its family. */
export type SocketAddress = Uint8Array<ArrayBuffer>;

const EAI_SYSTEM = -11;

/** struct addrinfo. */
const AI_SOCKTYPE = 8;
const AI_ADDRLEN = 16;
const AI_ADDR = 24;
const AI_NEXT = 40;
const ADDRINFO_BYTES = 48;
/** A name with more addresses than this is not asked for the others. */
const MAX_ADDRESSES = 16;

/**
 * The addresses of a host and port, best first, or a sentence that says why there
 * are none. Asks the name servers, and blocks as long as the system's resolver does.
 */
export function resolve(
  host: string,
  port: number,
  type: SocketType,
): SocketAddress[] | string {
  const [name, service] = [cString(host), cString(`${port}`)];
  const hints = new DataView(new ArrayBuffer(ADDRINFO_BYTES));
  hints.setInt32(AI_SOCKTYPE, type === "stream" ? SOCK_STREAM : SOCK_DGRAM, true);
  const list = new BigUint64Array(1);
  const outcome = libc().call.getaddrinfo(
    addressOf(name),
    addressOf(service),
    addressOf(new Uint8Array(hints.buffer)),
    addressOf(new Uint8Array(list.buffer)),
  );
  if (outcome !== 0) {
    if (outcome === EAI_SYSTEM) return describeError(-result(-1));
    return stringAt(Number(libc().call.gai_strerror(outcome))) ?? `error ${outcome}`;
  }
  const found: SocketAddress[] = [];
  for (let at = Number(list[0]); at !== 0 && found.length < MAX_ADDRESSES;) {
    const info = new DataView(libc().memoryAt(at, ADDRINFO_BYTES));
    const address = Number(info.getBigUint64(AI_ADDR, true));
    const length = info.getUint32(AI_ADDRLEN, true);
    found.push(new Uint8Array(libc().memoryAt(address, length).slice(0)));
    at = Number(info.getBigUint64(AI_NEXT, true));
  }
  libc().call.freeaddrinfo(Number(list[0]));
  return found;
}

/** What `struct sockaddr_un` has room for, without the NUL. */
export const MAX_UNIX_PATH_BYTES = 107;

/** @param path of at most `MAX_UNIX_PATH_BYTES` */
export function unixAddress(path: string): SocketAddress {
  const name = cString(path);
  const address = new Uint8Array(2 + name.length);
  address[0] = AF_UNIX;
  address.set(name, 2);
  return address;
}

/**
 * A socket on its way to be connected: done when it is writable. Datagram sockets
 * are connected at once.
 */
export function connect(address: SocketAddress, type: SocketType): number {
  const flags = SOCK_CLOEXEC | (type === "stream" ? SOCK_NONBLOCK : 0);
  const kind = type === "stream" ? SOCK_STREAM : SOCK_DGRAM;
  const family = address[0]! | address[1]! << 8;
  const socket = result(libc().call.socket(family, kind | flags, 0));
  if (socket < 0) return socket;
  const at = addressOf(address);
  const outcome = retried(() => libc().call.connect(socket, at, address.length));
  if (outcome >= 0 || outcome === -EINPROGRESS) return socket;
  libc().call.close(socket);
  return outcome;
}

/**
 * Waits until a connect is done; 0, or why it failed. While nobody listens on a port
 * of this machine that the system may choose for our own end, TCP can connect the
 * socket with itself (RFC 9293, simultaneous open): that is refused, too.
 */
export function connected(socket: number, timeoutMs: number): number {
  const poll = new PollSet(1);
  poll.watch(0, socket, POLLOUT);
  poll.wait(timeoutMs);
  if (poll.ready(0) === 0) return -ETIMEDOUT;
  const errno = socketError(socket);
  if (errno !== 0) return -errno;
  return isConnectedWithItself(socket) ? -ECONNREFUSED : 0;
}

function isConnectedWithItself(socket: number): boolean {
  const { getsockname, getpeername } = libc().call;
  const own = addressBy(getsockname, socket);
  return isInternet(own) && `${own}` === `${addressBy(getpeername, socket)}`;
}

/** The error that waits at a socket, which is thereby taken from it; 0 for none. */
export function socketError(socket: number): number {
  const found = getOption(socket, SOL_SOCKET, SO_ERROR, 4);
  return typeof found === "number" ? -found : found.getInt32(0, true);
}

/** Gives bytes to a stream socket, which may take fewer. */
export function send(socket: number, address: number, length: number): number {
  const flags = MSG_NOSIGNAL | MSG_DONTWAIT;
  return retried(() => libc().call.send(socket, address, length, flags));
}

/** Gives a datagram, whole or not at all. Blocks while a local receiver has no room. */
export function sendDatagram(socket: number, address: number, length: number): number {
  return retried(() => libc().call.send(socket, address, length, MSG_NOSIGNAL));
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

/** Offsets in struct tcp_info. */
const RETRANSMITS = 2;
const PROBES = 3;
const LAST_ACK_RECEIVED = 56;
const TCP_INFO_BYTES = 104;

/**
 * For how many milliseconds nothing has been heard of a TCP peer, though it was
 * asked more than once; 0 while it answers, even if only that it has no room.
 */
export function unansweredForMs(socket: number): number {
  const info = getOption(socket, IPPROTO_TCP, TCP_INFO, TCP_INFO_BYTES);
  if (typeof info === "number") return 0;
  if (info.getUint8(RETRANSMITS) === 0 && info.getUint8(PROBES) === 0) return 0;
  return info.getUint32(LAST_ACK_RECEIVED, true);
}

/** Descriptors above this are not looked at. */
const MAX_DESCRIPTOR = 4096;
/** Room for any kind of address. */
const ADDRESS_BYTES = 128;

/**
 * The descriptor behind a TCP socket of the runtime's, which does not tell it; found
 * by its two ports. Undefined when there is none.
 */
export function descriptorOf(localPort: number, remotePort: number): number | undefined {
  const { getsockname, getpeername } = libc().call;
  for (let descriptor = 0; descriptor < MAX_DESCRIPTOR; descriptor++) {
    if (portOf(addressBy(getsockname, descriptor)) !== localPort) continue;
    if (portOf(addressBy(getpeername, descriptor)) === remotePort) return descriptor;
  }
  return undefined;
}

/** Of an IPv4 or IPv6 address, which have it in the same place; 0 for any other. */
function portOf(address: SocketAddress): number {
  return isInternet(address) ? address[2]! << 8 | address[3]! : 0;
}

function isInternet(address: SocketAddress): boolean {
  const family = address[0]! | address[1]! << 8;
  return family === AF_INET || family === AF_INET6;
}

/** What getsockname or getpeername says of a socket; empty where it says nothing. */
function addressBy(
  call: (...args: number[]) => number,
  descriptor: number,
): SocketAddress {
  const address = new Uint8Array(ADDRESS_BYTES);
  const length = new Uint32Array([ADDRESS_BYTES]);
  const at = addressOf(new Uint8Array(length.buffer));
  const outcome = call(descriptor, addressOf(address), at);
  return outcome === 0 ? address.subarray(0, length[0]) : new Uint8Array();
}

/** How many probes a silent peer may leave unanswered. */
const KEEPALIVE_PROBES = 3;

/** Segments go out at once, and a peer that is gone is found while nothing is sent. */
export function tuneTcp(socket: number, timeoutMs: number): void {
  const idleSeconds = Math.max(1, Math.ceil(timeoutMs / 1000));
  const pauseSeconds = Math.max(1, Math.ceil(idleSeconds / KEEPALIVE_PROBES));
  setOption(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  setOption(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  setOption(socket, IPPROTO_TCP, TCP_KEEPIDLE, idleSeconds);
  setOption(socket, IPPROTO_TCP, TCP_KEEPINTVL, pauseSeconds);
  setOption(socket, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES);
}

function setOption(socket: number, level: number, name: number, value: number): void {
  const cell = new Int32Array([value]);
  const at = addressOf(new Uint8Array(cell.buffer));
  const outcome = result(libc().call.setsockopt(socket, level, name, at, 4));
  if (outcome < 0) {
    throw new Error(`setsockopt ${level}/${name} failed: ${describeError(-outcome)}`);
  }
}

function getOption(
  socket: number,
  level: number,
  name: number,
  bytes: number,
): DataView | number {
  const value = new Uint8Array(bytes);
  const length = new Uint32Array([bytes]);
  const outcome = result(
    libc().call.getsockopt(
      socket,
      level,
      name,
      addressOf(value),
      addressOf(new Uint8Array(length.buffer)),
    ),
  );
  return outcome < 0 ? outcome : new DataView(value.buffer);
}
