import type { ConnectionOptions, Msg, NatsConnection } from "@nats-io/nats-core";
import { messageOf, TemporaryError } from "../../errors.ts";
import { loadTls, type TlsFiles } from "../network/tls_settings.ts";
import { serverWords } from "../server_words.ts";
import type { Message } from "./message_window.ts";
import { authentication } from "./nats_credentials.ts";
import type { NatsTarget } from "./nats_target.ts";
import { type PublishOutcome, publishOutcome } from "./publish_reply.ts";
import { findStream } from "./stream_lookup.ts";

type Client = typeof import("./nats_client.ts");

/** What a connection reports; nothing after `close`. */
export interface ConnectionEvents {
  /** A message with this number has been answered. */
  onOutcome(number: number, outcome: PublishOutcome): void;
  /** `lost` says why. */
  onLost(): void;
}

/**
 * Headers, of the bytes that a server lets a message be: with the longest label, and the
 * highest numbers of bytes, there are 200 of them.
 */
const OVERHEAD_BYTES = 256;

/**
 * A connection to one server of a cluster, over which messages are published to a
 * stream. When it breaks it is over: who sends again makes another, so that nothing of
 * the old one is sent in the wrong place.
 */
export class JetStreamConnection {
  readonly #connection: NatsConnection;
  readonly #client: Client;
  readonly #subject: string;
  /** Replies come to this and the number of the message. */
  readonly #inbox: string;
  #closed = false;
  #lost: string | undefined;

  private constructor(
    client: Client,
    connection: NatsConnection,
    subject: string,
    events: ConnectionEvents,
  ) {
    this.#client = client;
    this.#connection = connection;
    this.#subject = subject;
    this.#inbox = `${client.createInbox()}.`;
    connection.subscribe(`${this.#inbox}*`, {
      callback: (error, reply) => {
        if (error === null && !this.#closed) this.#hear(reply, events);
      },
    });
    whyClosed(connection).then((why) => this.#lose(why, events));
    this.#listen(events);
  }

  /**
   * Connects to any of the servers, and finds a stream that takes the subject.
   *
   * @throws TemporaryError
   */
  static async open(
    name: string,
    target: NatsTarget,
    tls: TlsFiles | undefined,
    events: ConnectionEvents,
  ): Promise<JetStreamConnection> {
    const client = await loadClient();
    const { servers, timeoutMs, credentials } = target;
    const options = {
      ...authentication(credentials, client),
      servers: [...servers],
      timeout: timeoutMs,
      // The client gives up a connection on which two of its questions got no answer.
      pingInterval: timeoutMs,
      reconnect: false,
      ignoreClusterUpdates: true,
      name: "spillway",
    };
    const connection = await connect(client, options, tls).catch((error) => {
      throw new TemporaryError(`cannot connect to ${name}: ${words(messageOf(error))}`);
    });
    try {
      await findStream(connection, name, target);
      // Together with the answer may have come what has closed it.
      if (connection.isClosed()) {
        const why = words(await whyClosed(connection));
        throw new TemporaryError(`lost the connection to ${name}: ${why}`);
      }
      return new JetStreamConnection(client, connection, target.subject, events);
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  /** The longest message that the server takes; it may come to take only shorter ones. */
  get maxMessageBytes(): number {
    const said: unknown = this.#connection.info?.max_payload;
    if (typeof said !== "number") return Infinity;
    return Math.max(0, said - OVERHEAD_BYTES);
  }

  /**
   * Does nothing on a connection that has just closed, which `lost` will say.
   *
   * @param bytes at most `maxMessageBytes` of them; they may be used again when the event
   * loop has had its turn
   */
  publish({ number, goesOn }: Message, id: string, bytes: Uint8Array): void {
    if (this.#connection.isClosed()) return;
    const headers = this.#client.headers();
    headers.set("Nats-Msg-Id", id);
    if (goesOn) headers.set("Spillway-Partial", "true");
    this.#connection.publish(this.#subject, bytes, {
      headers,
      reply: `${this.#inbox}${number}`,
    });
  }

  #hear({ subject, headers, data }: Msg, events: ConnectionEvents): void {
    const number = Number(subject.slice(this.#inbox.length));
    events.onOutcome(number, publishOutcome(headers?.code ?? 0, data, words));
  }

  /** What the server says of what it does not let this user do has no reply. */
  async #listen(events: ConnectionEvents): Promise<void> {
    for await (const status of this.#connection.status()) {
      if (status.type === "error") this.#lose(messageOf(status.error), events);
    }
  }

  /** The first reason is the one that counts. */
  #lose(why: string, events: ConnectionEvents): void {
    if (this.#closed || this.#lost !== undefined) return;
    this.#lost = words(why);
    events.onLost();
  }

  /** Why nothing can be sent any more; undefined as long as it seems to work. */
  get lost(): string | undefined {
    return this.#lost;
  }

  close(): void {
    this.#closed = true;
    this.#connection.close();
  }
}

/**
 * What the client does not understand it prints to standard output, where only logs may
 * go; the transport says that it was so. One of its packages looks for randomness in
 * `self`, which Deno's threads have not, and else calls `require`, which chunks that Deno
 * 2.4 has minified have not.
 */
async function loadClient(): Promise<Client> {
  console.log = () => {};
  (globalThis as { self?: unknown }).self ??= globalThis;
  return await import("./nats_client.ts");
}

/** The files are read for each connection: certificates are renewed in them. */
async function connect(
  client: Client,
  options: ConnectionOptions,
  tls: TlsFiles | undefined,
): Promise<NatsConnection> {
  return await client.connect(options, tls && loadTls(tls));
}

/** Settles when it is closed. */
async function whyClosed(connection: NatsConnection): Promise<string> {
  const error = await connection.closed();
  return error ? messageOf(error) : "it was closed";
}

function words(text: string): string {
  return serverWords(text, []);
}
