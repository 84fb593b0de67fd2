import { TemporaryError } from "../../errors.ts";
import type { HostPort } from "../../host_port.ts";
import { unacknowledgedBytes } from "../../system/sockets.ts";
import { tuneTcp } from "../../system/tcp.ts";
import type { Wait } from "../wait.ts";
import type { ResendWindow } from "./resend_window.ts";
import { ServingConnection } from "./serving_connection.ts";
import {
  CLOSED,
  type Look,
  silence,
  type StreamConnection,
} from "./stream_connection.ts";
import type { TlsFiles } from "./tls_settings.ts";

/**
 * The runtime may hold encrypted bytes back for a turn of the event loop: only when
 * the system has had nothing under way in two turns has everything arrived.
 */
const QUIET_LOOKS = 2;
/** How long the peer may take to close. */
const GOODBYE_MS = 1000;

/**
 * A connection through the runtime's TLS, which tells only when all has arrived. The
 * event loop moves its bytes and its news.
 */
export class TlsConnection implements StreamConnection {
  readonly #timeoutMs: number;
  /** Settles when it is known whether the connection can be used. */
  readonly #opening: Promise<void>;
  #failure: unknown;
  #connection: ServingConnection | undefined;
  #socket = -1;
  /** What the runtime has not handed on to the system. */
  #withheldBytes = 0;
  #quietLooks = 0;
  #goodbye: Promise<void> | undefined;
  #left = false;
  #closed = false;

  /** @param timeoutMs how long a peer may take to answer before it counts as gone */
  constructor(
    name: string,
    peer: HostPort,
    tls: TlsFiles,
    timeoutMs: number,
  ) {
    this.#timeoutMs = timeoutMs;
    this.#opening = this.#open(name, peer, tls).catch((error) => {
      this.#failure = error;
    });
  }

  async #open(
    name: string,
    peer: HostPort,
    tls: TlsFiles,
  ): Promise<void> {
    const connection = await ServingConnection.open(name, peer, tls, this.#timeoutMs);
    const { descriptor } = connection;
    if (descriptor === undefined) {
      connection.close();
      throw new TemporaryError(`the connection to ${name} broke: ${CLOSED}`);
    }
    tuneTcp(descriptor, this.#timeoutMs);
    this.#socket = descriptor;
    this.#connection = connection;
    if (this.#closed) connection.close();
  }

  get connected(): boolean {
    if (this.#failure !== undefined) throw this.#failure;
    return this.#connection !== undefined;
  }

  await(wait: Wait): void {
    if (this.#connection === undefined) wait.promise = this.#opening;
    else if (this.#goodbye !== undefined) wait.promise = this.#goodbye;
  }

  send(window: ResendWindow): void {
    const bytes = window.unsent;
    if (bytes.length === 0) return;
    window.sent(bytes.length);
    this.#withheldBytes += bytes.length;
    this.#quietLooks = 0;
    this.#connection!.write(bytes).then(
      () => this.#withheldBytes -= bytes.length,
      // Then `look` finds the connection broken.
      () => {},
    );
  }

  look(): Look {
    const broken = this.#connection!.failure ?? silence(this.#socket, this.#timeoutMs);
    if (broken !== undefined) return { unacknowledgedBytes: Infinity, broken };
    const quiet = this.#withheldBytes === 0 && unacknowledgedBytes(this.#socket) === 0;
    this.#quietLooks = quiet ? this.#quietLooks + 1 : 0;
    return { unacknowledgedBytes: this.#quietLooks < QUIET_LOOKS ? Infinity : 0 };
  }

  sayGoodbye(): void {
    this.#goodbye = this.#connection!.sayGoodbye(GOODBYE_MS).then(() => {
      this.#left = true;
    });
  }

  get left(): { readonly broken?: string } | undefined {
    return this.#left ? {} : undefined;
  }

  close(): void {
    this.#closed = true;
    this.#connection?.close();
  }
}
