import { describeError, result } from "./errno.ts";
import { libc } from "./libc.ts";
import { addressOf, cString, cStringAt, stringAt } from "./memory.ts";

const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;

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

/** True for what needs no name server: `127.0.0.1`, `::1`. */
export function isAddress(host: string): boolean {
  return /^\d+(\.\d+){3}$/.test(host) || host.includes(":");
}

/**
 * The addresses of a host and port, best first, or a sentence that says why there
 * are none. Asks the name servers, and blocks as long as the system's resolver does.
 */
export function resolve(
  host: string,
  port: number,
  type: SocketType,
): SocketAddress[] | string {
  const hints = new DataView(new ArrayBuffer(ADDRINFO_BYTES));
  hints.setInt32(AI_SOCKTYPE, type === "stream" ? SOCK_STREAM : SOCK_DGRAM, true);
  const list = new BigUint64Array(1);
  const outcome = libc().call.getaddrinfo(
    cStringAt(host),
    cStringAt(`${port}`),
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

/** Of the socket behind a descriptor that O_PATH has made. */
export function descriptorAddress(descriptor: number): SocketAddress {
  return unixAddress(`/proc/self/fd/${descriptor}`);
}

/** One that is no file: see unix(7). @param name of at most `MAX_UNIX_PATH_BYTES` */
export function abstractAddress(name: string): SocketAddress {
  const bytes = new TextEncoder().encode(name);
  const address = new Uint8Array(2 + 1 + bytes.length);
  address[0] = AF_UNIX;
  address.set(bytes, 3);
  return address;
}

/** The address family, as `socket` takes it. */
export function familyOf(address: SocketAddress): number {
  return address[0]! | address[1]! << 8;
}

/** Of an IPv4 or IPv6 address, which have it in the same place; 0 for any other. */
export function portOf(address: SocketAddress): number {
  const isInternet = [AF_INET, AF_INET6].includes(familyOf(address));
  return isInternet ? address[2]! << 8 | address[3]! : 0;
}

/** Where IPv4 is in an address of its own, and in one of IPv6 (RFC 4291, 2.5.5.2). */
const IPV4_AT = 4;
const IPV6_AT = 8;
const MAPPED_IPV4 = "0,0,0,0,0,0,0,0,0,0,255,255";
const IPV6_LOOPBACK = "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1";

/** Only this machine can reach it: 127.0.0.0/8, ::1, and the former as IPv6 has it. */
export function isLoopback(address: SocketAddress): boolean {
  if (familyOf(address) === AF_INET) return address[IPV4_AT] === 127;
  const bytes = address.subarray(IPV6_AT, IPV6_AT + 16);
  return bytes.join() === IPV6_LOOPBACK ||
    bytes[12] === 127 && bytes.subarray(0, 12).join() === MAPPED_IPV4;
}

/** An IPv4 or IPv6 address in numbers, without brackets. */
export function numericHost(address: SocketAddress): string {
  if (familyOf(address) === AF_INET) {
    return address.subarray(IPV4_AT, IPV4_AT + 4).join(".");
  }
  const view = new DataView(address.buffer, address.byteOffset + IPV6_AT, 16);
  const groups = Array.from(
    { length: 8 },
    (_, at) => view.getUint16(at * 2).toString(16),
  );
  // As short as it can be written: RFC 5952.
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}
