/** What is particular to TCP connections: tcp(7). */

import { libc } from "./libc.ts";
import { addressOf } from "./memory.ts";
import { portOf, type SocketAddress } from "./socket_addresses.ts";
import { getOption, IPPROTO_TCP, setOption, SOL_SOCKET } from "./socket_options.ts";

const SO_KEEPALIVE = 9;
const TCP_NODELAY = 1;
const TCP_KEEPIDLE = 4;
const TCP_KEEPINTVL = 5;
const TCP_KEEPCNT = 6;
const TCP_INFO = 11;

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

/**
 * True for a TCP socket whose peer is itself. While nobody listens on a port of this
 * machine that the system may choose for our own end, a connect to it can end so:
 * RFC 9293, simultaneous open.
 */
export function isConnectedWithItself(socket: number): boolean {
  const { getsockname, getpeername } = libc().call;
  const own = addressBy(getsockname, socket);
  return portOf(own) !== 0 && `${own}` === `${addressBy(getpeername, socket)}`;
}
