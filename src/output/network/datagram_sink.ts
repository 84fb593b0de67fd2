import { SinkFailure, SinkRejection } from "../../errors.ts";
import type { Outgoing } from "../../formats/format.ts";
import { close } from "../../system/descriptors.ts";
import { describeError, EMSGSIZE } from "../../system/errno.ts";
import { sendDatagram, socketError } from "../../system/sockets.ts";
import type { Sink } from "../sink.ts";
import { connectTo, type Peer } from "./peer.ts";

/**
 * A datagram for each record, without its newline (RFC 5426). What a network or a
 * receiver drops on the way nobody can know; what this system and the receiver's
 * refuse is sent again.
 */
export class DatagramSink implements Sink {
  readonly #name: string;
  readonly #peer: Peer;
  #socket: number | undefined;

  constructor(name: string, peer: Peer) {
    this.#name = name;
    this.#peer = peer;
  }

  write(piece: Outgoing, from: number): number {
    // A datagram socket is connected without asking the peer.
    this.#socket ??= connectTo(this.#name, this.#peer, "datagram", 0);
    let sent = from;
    let at = from;
    while (at < piece.length) {
      const end = piece.recordEnd(at);
      const length = end - 1 - at;
      const count = sendDatagram(this.#socket, piece.address + at, length);
      if (count === -EMSGSIZE) {
        if (at > from) break;
        throw new SinkRejection(
          `a message of ${length} bytes is too long for a datagram to ${this.#name}; use syslog+tcp, or a smaller --max-line`,
          end - at,
        );
      }
      if (count < 0) return this.#refused(-count, sent - from);
      sent = at;
      at = end;
    }
    const errno = socketError(this.#socket);
    return errno === 0 ? at - from : this.#refused(errno, sent - from);
  }

  /**
   * What a socket says of a datagram is mostly about the one before: only those before
   * that one count as taken.
   */
  #refused(errno: number, taken: number): number {
    if (taken > 0) return taken;
    this.#disconnect();
    throw new SinkFailure(`cannot send to ${this.#name}: ${describeError(errno)}`);
  }

  #disconnect(): void {
    if (this.#socket !== undefined) close(this.#socket);
    this.#socket = undefined;
  }

  finish(): void {
    this.#disconnect();
  }
}
