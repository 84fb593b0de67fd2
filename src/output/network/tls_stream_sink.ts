import { SinkError, SinkFailure } from "../../errors.ts";
import type { Outgoing } from "../../formats/format.ts";
import { unacknowledgedBytes } from "../../platform/posix/sockets.ts";
import { unansweredForMs } from "../../platform/posix/tcp.ts";
import type { TlsSettings } from "../../platform/tls.ts";
import { ARRIVED, type Custody, type Sink, type Verdict } from "../sink.ts";
import type { Framing } from "./framing.ts";
import { ResendWindow } from "./resend_window.ts";
import { ServingConnection } from "./serving_connection.ts";

/** How long the peer may take to read the rest and close, at the end. */
const GOODBYE_MS = 1000;
/** How often acknowledgements are looked for: with a full window, and in idle times. */
const ACKNOWLEDGEMENT_MS = 2;
const TEND_MS = 20;
/**
 * The runtime may hold encrypted bytes back for a turn of the event loop: only when
 * the system has had nothing under way in two turns has everything arrived.
 */
const QUIET_LOOKS = 2;

/**
 * As `StreamSink`, but through the runtime's TLS, which needs the event loop, and
 * does not tell what has arrived but for when all has.
 */
export class TlsStreamSink implements Sink, Custody {
  readonly name: string;
  readonly custody = this;
  readonly #peer: { readonly host: string; readonly port: number };
  readonly #tls: TlsSettings;
  readonly #framing: Framing;
  readonly #timeoutMs: number;
  readonly #window = new ResendWindow();
  #connection: ServingConnection | undefined;
  #socket = -1;
  #quietLooks = 0;
  /** Chunks whose arrival has been told. */
  #told = 0;

  /** @param timeoutMs how long a peer may take to answer before it counts as gone */
  constructor(
    name: string,
    peer: { readonly host: string; readonly port: number },
    tls: TlsSettings,
    framing: Framing,
    timeoutMs: number,
  ) {
    this.name = name;
    this.#peer = peer;
    this.#tls = tls;
    this.#framing = framing;
    this.#timeoutMs = timeoutMs;
  }

  takeVerdict(): Verdict | undefined {
    if (this.#told === this.#window.arrivedChunks) return undefined;
    this.#told++;
    return ARRIVED;
  }

  get restMs(): number {
    return this.#window.settled ? Infinity : TEND_MS;
  }

  async write(piece: Outgoing, from: number): Promise<number> {
    const connection = await this.#advance();
    if (!this.#window.hasRoom) {
      await new Promise((resolve) => setTimeout(resolve, ACKNOWLEDGEMENT_MS));
      return 0;
    }
    const taken = this.#framing(piece, from, this.#window);
    await this.#send(connection);
    return taken;
  }

  async tend(): Promise<void> {
    await this.#advance();
  }

  /** Looks at the connection, or makes one, and sends what is to be sent. */
  async #advance(): Promise<ServingConnection> {
    if (this.#connection !== undefined) {
      await this.#connection.hearNews();
      const { failure } = this.#connection;
      if (failure !== undefined) this.#disconnect(failure);
      else this.#look();
    }
    this.#connection ??= await this.#connect();
    await this.#send(this.#connection);
    return this.#connection;
  }

  async #connect(): Promise<ServingConnection> {
    const connection = await ServingConnection.open(
      this.name,
      this.#peer,
      this.#tls,
      this.#timeoutMs,
    );
    const { descriptor } = connection;
    if (descriptor === undefined) {
      connection.close();
      throw new SinkError(
        `cannot find the socket of the connection to ${this.name} among the first descriptors; close some before the start`,
      );
    }
    this.#socket = descriptor;
    this.#quietLooks = 0;
    return connection;
  }

  #look(): void {
    if (unacknowledgedBytes(this.#socket) !== 0) {
      this.#quietLooks = 0;
      if (unansweredForMs(this.#socket) < this.#timeoutMs) return;
      this.#disconnect(`it has not answered for ${this.#timeoutMs / 1000} s`);
      return;
    }
    this.#quietLooks++;
    if (this.#quietLooks >= QUIET_LOOKS) this.#window.arrivedBut(0, performance.now());
  }

  async #send(connection: ServingConnection): Promise<void> {
    const bytes = this.#window.unsent;
    if (bytes.length === 0) return;
    this.#quietLooks = 0;
    try {
      await connection.write(bytes);
    } catch (error) {
      if (!(error instanceof SinkFailure)) throw error;
      this.#disconnect(connection.failure ?? error.message);
      return;
    }
    this.#window.sent(bytes.length);
  }

  /** @throws SinkFailure when there is something to be sent again. */
  #disconnect(reason: string): void {
    this.#connection?.close();
    this.#connection = undefined;
    this.#window.rewind(performance.now());
    if (this.#window.settled) return;
    throw new SinkFailure(`the connection to ${this.name} broke: ${reason}`);
  }

  async finish(): Promise<void> {
    await this.#connection?.sayGoodbye(GOODBYE_MS);
    this.#connection = undefined;
  }
}
