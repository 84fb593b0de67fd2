import { TemporaryError } from "../../errors.ts";
import type { Outgoing } from "../../formats/format.ts";
import { ARRIVED, type Custody, type Sink, type Verdict } from "../sink.ts";
import type { Wait } from "../wait.ts";
import type { Framing } from "./framing.ts";
import { passing } from "./peer.ts";
import { ResendWindow } from "./resend_window.ts";
import type { StreamConnection } from "./stream_connection.ts";

/** How long the peer may take to read the rest and close, at the end. */
const GOODBYE_MS = 1000;
const MAX_GOODBYES = 3;
/** How long room is waited for before the connection is looked at again. */
const ROOM_MS = 500;
/** The same where room comes from an acknowledgement, which wakes no one. */
const ACKNOWLEDGEMENT_MS = 2;
/** How often idle times are used to look for acknowledgements; at most, if in a hurry. */
const TEND_MS = 20;

/**
 * A stream of records to a peer, over one connection after the other. What has not
 * been acknowledged when one breaks, or only a short time before, is sent over the
 * next from the beginning of a record on, so that every record arrives at least once.
 * Each write is one chunk of the window.
 */
export class StreamSink implements Sink, Custody {
  readonly #name: string;
  readonly custody = this;
  readonly #framing: Framing;
  readonly #connect: () => StreamConnection;
  readonly #window = new ResendWindow();
  #connection: StreamConnection | undefined;
  #reached = false;
  /** Something went over this connection. */
  #isUsed = false;
  /** Until when the peer may take to close; undefined before it was asked to. */
  #goodbyeUntilMs: number | undefined;
  /** How often the end had to be sent again. */
  #goodbyes = 0;
  /** Something waits for what is under way, and how soon it is looked for that next. */
  #isHurried = false;
  #lookMs = ACKNOWLEDGEMENT_MS;
  /** Chunks whose arrival has been reported. */
  #told = 0;

  /** @param connect begins a new connection; throws TemporaryError or PermanentError */
  constructor(name: string, framing: Framing, connect: () => StreamConnection) {
    this.#name = name;
    this.#framing = framing;
    this.#connect = connect;
  }

  takeVerdict(): Verdict | undefined {
    if (this.#told === this.#window.arrivedChunks) return undefined;
    this.#told++;
    return ARRIVED;
  }

  get settled(): boolean {
    return this.#window.settled && this.#told === this.#window.arrivedChunks;
  }

  hurry(): void {
    this.#isHurried = true;
  }

  write(piece: Outgoing, from: number, wait: Wait): number {
    const window = this.#window;
    const connection = this.#advance(wait);
    if (connection === undefined) return 0;
    if (!window.hasRoom) {
      const unsent = window.unsentBytes > 0;
      connection.await(wait, unsent);
      wait.until(performance.now() + (unsent ? ROOM_MS : ACKNOWLEDGEMENT_MS));
      return 0;
    }
    this.#lookMs = ACKNOWLEDGEMENT_MS;
    const taken = this.#framing(piece, from, window);
    this.#send(connection);
    return taken;
  }

  tend(wait: Wait): void {
    if (this.#window.settled) return;
    const connection = this.#advance(wait);
    if (connection === undefined) return;
    connection.await(wait, this.#window.unsentBytes > 0);
    wait.until(performance.now() + (this.#isHurried ? this.#lookMs : TEND_MS));
    this.#lookMs = Math.min(TEND_MS, 2 * this.#lookMs);
  }

  /** Looks at the connection, or makes one, and sends what is to be sent, if it is there. */
  #advance(wait: Wait): StreamConnection | undefined {
    if (this.#connection !== undefined && this.#isConnected(this.#connection)) {
      const look = this.#connection.look();
      this.#window.arrivedBut(look.unacknowledgedBytes, performance.now());
      if (look.broken !== undefined) this.#disconnect(look.broken);
    }
    const connection = this.#connection ??= this.#begin();
    if (!this.#isConnected(connection)) {
      connection.await(wait, false);
      return undefined;
    }
    this.#send(connection);
    return connection;
  }

  #send(connection: StreamConnection): void {
    this.#isUsed ||= this.#window.unsentBytes > 0;
    connection.send(this.#window);
  }

  #begin(): StreamConnection {
    this.#isUsed = false;
    try {
      return this.#connect();
    } catch (error) {
      throw this.#reached ? passing(error) : error;
    }
  }

  /** One that fails to connect is given up. */
  #isConnected(connection: StreamConnection): boolean {
    try {
      this.#reached ||= connection.connected;
      return connection.connected;
    } catch (error) {
      this.#connection = undefined;
      throw this.#reached ? passing(error) : error;
    }
  }

  /**
   * @throws TemporaryError when there is something to be sent again, or when nothing was
   * sent: a peer that always breaks off so soon is not tried without a pause
   */
  #disconnect(reason: string): void {
    this.#connection?.close();
    this.#connection = undefined;
    this.#window.rewind(performance.now());
    if (this.#window.settled && this.#isUsed) return;
    throw new TemporaryError(`the connection to ${this.#name} broke: ${reason}`);
  }

  finish(wait: Wait): boolean {
    const connection = this.#connection;
    if (connection === undefined) return true;
    if (this.#goodbyeUntilMs === undefined) {
      this.#goodbyeUntilMs = performance.now() + GOODBYE_MS;
      connection.sayGoodbye();
    }
    const left = connection.left;
    if (left === undefined && performance.now() < this.#goodbyeUntilMs) {
      connection.await(wait, false);
      wait.until(this.#goodbyeUntilMs);
      return false;
    }
    this.#goodbyeUntilMs = undefined;
    // The peer may not have read the end. One that always breaks off is its own affair.
    if (left?.broken !== undefined && this.#goodbyes++ < MAX_GOODBYES) {
      this.#disconnect(left.broken);
    }
    connection.close();
    this.#connection = undefined;
    return true;
  }
}
