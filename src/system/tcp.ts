/** What is particular to TCP connections: tcp(7). */

import { namesIn } from "./folders.ts";
import { libc } from "./libc.ts";
import { addressOf } from "./memory.ts";
import { portOf, resolve, type SocketAddress } from "./socket_addresses.ts";
import { getOption, IPPROTO_TCP, setOption, SOL_SOCKET } from "./socket_options.ts";

const SO_KEEPALIVE = 9;
const TCP_NODELAY = 1;
const TCP_KEEPIDLE = 4;
const TCP_KEEPINTVL = 5;
const TCP_KEEPCNT = 6;
const TCP_INFO = 11;

/** How many probes a silent peer may leave unanswered. */
const KEEPALIVE_PROBES = 3;

/**
 * Segments go out at once, and a peer that is gone is found while nothing is sent. One that
 * is there gives a sign of itself twice in its time, so that after an idle hour a single
 * segment that gets lost does not look like a silence as long as that.
 */
export function tuneTcp(socket: number, timeoutMs: number): void {
  const idleSeconds = Math.max(1, Math.ceil(timeoutMs / 2 / 1000));
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

/** Room for any kind of address. */
const ADDRESS_BYTES = 128;

/** A connection, as its socket knows it. */
export interface TcpPorts {
  readonly localPort: number;
  /** In numbers. Connections to several peers may have the same ports. */
  readonly remoteAddress: string;
  readonly remotePort: number;
}

/**
 * The descriptor behind a TCP socket of the runtime's, which does not tell it; found
 * by its two ends. Undefined when there is none, as when the peer has broken off: then
 * the socket has one end only.
 */
export function descriptorOf(
  { localPort, remoteAddress, remotePort }: TcpPorts,
): number | undefined {
  const [own, peer] = [
    new AddressBuffer("getsockname"),
    new AddressBuffer("getpeername"),
  ];
  const wanted = resolve(remoteAddress, remotePort, "stream");
  const open = namesIn("/proc/self/fd");
  if (typeof wanted === "string" || typeof open === "number") return undefined;
  for (const descriptor of open.map(Number)) {
    if (portOf(own.of(descriptor)) !== localPort) continue;
    const found = `${peer.of(descriptor)}`;
    if (wanted.some((address) => `${address}` === found)) return descriptor;
  }
  return undefined;
}

const NO_ADDRESS: SocketAddress = new Uint8Array();

/** What getsockname(2) or getpeername(2) says, of one socket after the other. */
class AddressBuffer {
  readonly #call: "getsockname" | "getpeername";
  // A buffer of its own, since Bun would move a small array that comes to share one.
  readonly #bytes = new Uint8Array(new ArrayBuffer(ADDRESS_BYTES));
  readonly #length = new Uint32Array(1);
  readonly #bytesAt = addressOf(this.#bytes);
  readonly #lengthAt = addressOf(new Uint8Array(this.#length.buffer));

  constructor(call: "getsockname" | "getpeername") {
    this.#call = call;
  }

  /** Good until the next call; empty where it says nothing. */
  of(descriptor: number): SocketAddress {
    this.#length[0] = ADDRESS_BYTES;
    const outcome = libc().call[this.#call](descriptor, this.#bytesAt, this.#lengthAt);
    return outcome === 0 ? this.#bytes.subarray(0, this.#length[0]) : NO_ADDRESS;
  }
}

/**
 * True for a TCP socket whose peer is itself. While nobody listens on a port of this
 * machine that the system may choose for our own end, a connect to it can end so:
 * RFC 9293, simultaneous open.
 */
export function isConnectedWithItself(socket: number): boolean {
  const own = new AddressBuffer("getsockname").of(socket);
  const peer = new AddressBuffer("getpeername").of(socket);
  return portOf(own) !== 0 && `${own}` === `${peer}`;
}
