import { OutputError, SinkRejection, TemporaryError } from "../../errors.ts";
import type { Outgoing } from "../../formats/format.ts";
import { close } from "../../system/descriptors.ts";
import { describeError, EAGAIN, EMSGSIZE } from "../../system/errno.ts";
import { POLLOUT } from "../../system/poll.ts";
import { isAddress } from "../../system/socket_addresses.ts";
import { sendDatagram, socketError } from "../../system/sockets.ts";
import type { Sink } from "../sink.ts";
import type { Wait } from "../wait.ts";
import { datagramSocket, passing, type Peer } from "./peer.ts";

/** How often a name is looked up: it may mean another host by now, and no datagram tells. */
const LOOK_UP_MS = 60_000;

/** The longest that IPv4 has room for, with its header and that of UDP. */
const MAX_UDP_BYTES = 65_535 - 20 - 8;

/**
 * A datagram for each record, without its newline (RFC 5426). What a network or a
 * receiver drops on the way cannot be known; what this system and the receiver's
 * refuse is sent again.
 */
export class DatagramSink implements Sink {
  readonly #name: string;
  readonly #peer: Peer;
  #socket: number | undefined;
  #reached = false;
  /** When the peer's name is to be looked up again, on the clock of `performance.now`. */
  #lookUpMs = Infinity;
  /** Something was sent over this socket. */
  #isUsed = false;

  constructor(name: string, peer: Peer) {
    this.#name = name;
    this.#peer = peer;
  }

  write(piece: Outgoing, from: number, wait: Wait): number {
    if (performance.now() >= this.#lookUpMs) this.#lookUp();
    this.#socket ??= this.#connect();
    let sent = from;
    let at = from;
    while (at < piece.length) {
      const end = piece.recordEnd(at);
      const length = end - 1 - at;
      const count = sendDatagram(this.#socket, piece.address + at, length);
      if (count === -EMSGSIZE && this.#isTooLong(length)) {
        if (at > from) break;
        throw this.#rejection(length, end - at);
      }
      if (count === -EAGAIN) {
        // Of a Unix socket whose receiver is behind.
        wait.forDescriptor(this.#socket, POLLOUT);
        break;
      }
      if (count < 0) return this.#refused(-count, sent - from);
      this.#isUsed = true;
      sent = at;
      at = end;
    }
    const errno = socketError(this.#socket);
    return errno === 0 ? at - from : this.#refused(errno, sent - from);
  }

  /**
   * False where it must be the one before that a router has found too long for a network
   * on the way; when that is sent again, the system knows to divide it.
   */
  #isTooLong(bytes: number): boolean {
    return "path" in this.#peer || bytes > MAX_UDP_BYTES || !this.#isUsed;
  }

  #rejection(messageBytes: number, bytes: number): SinkRejection {
    const orTcp = "path" in this.#peer ? "" : ", or use syslog+tcp";
    return new SinkRejection(
      `a message of ${messageBytes} bytes is too long for a datagram to ${this.#name}; a smaller --max-line splits such lines${orTcp}`,
      bytes,
    );
  }

  /** A datagram socket is connected without asking the peer. */
  #connect(): number {
    try {
      const socket = datagramSocket(this.#name, this.#peer);
      this.#reached = true;
      this.#isUsed = false;
      this.#planLookUp();
      return socket;
    } catch (error) {
      throw this.#reached ? passing(error) : error;
    }
  }

  #planLookUp(): void {
    const hasName = "host" in this.#peer && !isAddress(this.#peer.host);
    this.#lookUpMs = hasName ? performance.now() + LOOK_UP_MS : Infinity;
  }

  /** While nobody knows the name, the address that it had last is as good as any. */
  #lookUp(): void {
    const before = this.#socket;
    try {
      this.#socket = this.#connect();
    } catch (error) {
      if (!(error instanceof OutputError)) throw error;
      this.#planLookUp();
      return;
    }
    if (before !== undefined) close(before);
  }

  /**
   * What a socket says of a datagram is mostly about the one before: only those before
   * that one count as taken.
   */
  #refused(errno: number, taken: number): number {
    if (taken > 0) return taken;
    this.#disconnect();
    throw new TemporaryError(`cannot send to ${this.#name}: ${describeError(errno)}`);
  }

  #disconnect(): void {
    if (this.#socket !== undefined) close(this.#socket);
    this.#socket = undefined;
  }

  finish(): boolean {
    this.#disconnect();
    return true;
  }
}
