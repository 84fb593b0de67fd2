import { SinkError } from "../../errors.ts";
import { unacknowledgedBytes } from "../../system/sockets.ts";
import { unansweredForMs } from "../../system/tcp.ts";
import type { TlsSettings } from "../../runtime/tls.ts";
import type { ResendWindow } from "./resend_window.ts";
import { ServingConnection } from "./serving_connection.ts";
import type { Look, StreamConnection } from "./stream_connection.ts";

/**
 * The runtime may hold encrypted bytes back for a turn of the event loop: only when
 * the system has had nothing under way in two turns has everything arrived.
 */
const QUIET_LOOKS = 2;

/** A connection through the runtime's TLS, which tells only when all has arrived. */
export class TlsConnection implements StreamConnection {
  readonly #connection: ServingConnection;
  readonly #socket: number;
  readonly #timeoutMs: number;
  /** What the runtime has not handed on to the system. */
  #withheldBytes = 0;
  #quietLooks = 0;

  private constructor(connection: ServingConnection, socket: number, timeoutMs: number) {
    this.#connection = connection;
    this.#socket = socket;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * @param timeoutMs how long a peer may take to answer before it counts as gone
   * @throws SinkFailure, SinkError
   */
  static async open(
    name: string,
    peer: { readonly host: string; readonly port: number },
    tls: TlsSettings,
    timeoutMs: number,
  ): Promise<TlsConnection> {
    const connection = await ServingConnection.open(name, peer, tls, timeoutMs);
    const { descriptor } = connection;
    if (descriptor !== undefined) {
      return new TlsConnection(connection, descriptor, timeoutMs);
    }
    connection.close();
    throw new SinkError(
      `cannot find the socket of the connection to ${name} among the first descriptors; close some before the start`,
    );
  }

  send(window: ResendWindow): void {
    const bytes = window.unsent;
    if (bytes.length === 0) return;
    window.sent(bytes.length);
    this.#withheldBytes += bytes.length;
    this.#quietLooks = 0;
    this.#connection.write(bytes).then(
      () => this.#withheldBytes -= bytes.length,
      // Then `look` finds the connection broken.
      () => {},
    );
  }

  look(): Look {
    const broken = this.#connection.failure ?? this.#silence();
    if (broken !== undefined) return { unacknowledgedBytes: Infinity, broken };
    const quiet = this.#withheldBytes === 0 && unacknowledgedBytes(this.#socket) === 0;
    this.#quietLooks = quiet ? this.#quietLooks + 1 : 0;
    return { unacknowledgedBytes: this.#quietLooks < QUIET_LOOKS ? Infinity : 0 };
  }

  #silence(): string | undefined {
    if (unansweredForMs(this.#socket) < this.#timeoutMs) return undefined;
    return `it has not answered for ${this.#timeoutMs / 1000} s`;
  }

  turn(): Promise<void> {
    return this.#connection.hearNews();
  }

  async wait(_forRoom: boolean, timeoutMs: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, timeoutMs));
  }

  async sayGoodbye(timeoutMs: number): Promise<undefined> {
    await this.#connection.sayGoodbye(timeoutMs);
  }

  close(): void {
    this.#connection.close();
  }
}
