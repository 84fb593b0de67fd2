import { SinkFailure } from "../../errors.ts";
import type { Outgoing } from "../../formats/format.ts";
import { ARRIVED, type Custody, type Sink, type Verdict } from "../sink.ts";
import type { Framing } from "./framing.ts";
import { ResendWindow } from "./resend_window.ts";
import type { StreamConnection } from "./stream_connection.ts";

/** How long the peer may take to read the rest and close, at the end. */
const GOODBYE_MS = 1000;
const MAX_GOODBYES = 3;
/** How long room is waited for before the connection is looked at again. */
const ROOM_MS = 500;
/** The same where room comes from an acknowledgement, which wakes nobody. */
const ACKNOWLEDGEMENT_MS = 2;
/** How often idle times are used to look for acknowledgements. */
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
  readonly #connect: () => StreamConnection | Promise<StreamConnection>;
  readonly #window = new ResendWindow();
  #connection: StreamConnection | undefined;
  /** How often the end had to be sent again. */
  #goodbyes = 0;
  /** Chunks whose arrival has been told. */
  #told = 0;

  /** @param connect makes a new connection; throws SinkFailure or SinkError */
  constructor(
    name: string,
    framing: Framing,
    connect: () => StreamConnection | Promise<StreamConnection>,
  ) {
    this.#name = name;
    this.#framing = framing;
    this.#connect = connect;
  }

  takeVerdict(): Verdict | undefined {
    if (this.#told === this.#window.arrivedChunks) return undefined;
    this.#told++;
    return ARRIVED;
  }

  get restMs(): number {
    return this.#window.settled ? Infinity : TEND_MS;
  }

  write(piece: Outgoing, from: number): number | Promise<number> {
    const window = this.#window;
    const connection = this.#advance();
    if (connection instanceof Promise) return connection.then(() => 0);
    if (!window.hasRoom) {
      const unsent = window.unsentBytes > 0;
      const waited = connection.wait(unsent, unsent ? ROOM_MS : ACKNOWLEDGEMENT_MS);
      return waited === undefined ? 0 : waited.then(() => 0);
    }
    const taken = this.#framing(piece, from, window);
    connection.send(window);
    return connection.turn?.().then(() => taken) ?? taken;
  }

  tend(): void | Promise<void> {
    const connection = this.#advance();
    return connection instanceof Promise
      ? connection.then(() => {})
      : connection.turn?.();
  }

  /** Looks at the connection, or makes one, and sends what is to be sent. */
  #advance(): StreamConnection | Promise<StreamConnection> {
    if (this.#connection !== undefined) {
      const look = this.#connection.look();
      this.#window.arrivedBut(look.unacknowledgedBytes, performance.now());
      if (look.broken !== undefined) this.#disconnect(look.broken);
    }
    const connection = this.#connection ?? this.#connect();
    if (connection instanceof Promise) {
      return connection.then((connection) => this.#adopt(connection));
    }
    return this.#adopt(connection);
  }

  #adopt(connection: StreamConnection): StreamConnection {
    this.#connection = connection;
    connection.send(this.#window);
    return connection;
  }

  /** @throws SinkFailure when there is something to be sent again. */
  #disconnect(reason: string): void {
    this.#connection?.close();
    this.#connection = undefined;
    this.#window.rewind(performance.now());
    if (this.#window.settled) return;
    throw new SinkFailure(`the connection to ${this.#name} broke: ${reason}`);
  }

  async finish(): Promise<void> {
    const broken = await this.#connection?.sayGoodbye(GOODBYE_MS);
    // The peer may not have read the end. One that always breaks off is its own affair.
    if (broken !== undefined && this.#goodbyes++ < MAX_GOODBYES) this.#disconnect(broken);
    this.#connection?.close();
    this.#connection = undefined;
  }
}
