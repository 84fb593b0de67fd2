/** A server on TCP or TLS that says, byte for byte and when it likes, what a test wants. */

import { setTimeout as pause } from "node:timers/promises";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** One connection, as the server sees it. */
export class Caller {
  readonly #connection: Deno.Conn;
  #text = "";

  constructor(connection: Deno.Conn) {
    this.#connection = connection;
  }

  /** The next whole request with its body; undefined when there is none any more. */
  async request(): Promise<string | undefined> {
    const buffer = new Uint8Array(64 * 1024);
    for (;;) {
      const end = this.#text.indexOf("\r\n\r\n") + 4;
      const [, length = "0"] = /^Content-Length: (\d+)\r$/im.exec(this.#text) ?? [];
      if (end >= 4 && this.#text.length >= end + Number(length)) {
        const request = this.#text.slice(0, end + Number(length));
        this.#text = this.#text.slice(request.length);
        return request;
      }
      const count = await this.#connection.read(buffer);
      if (count === null) return undefined;
      this.#text += decoder.decode(buffer.subarray(0, count));
    }
  }

  async say(text: string | Uint8Array): Promise<void> {
    const bytes = typeof text === "string" ? encoder.encode(text) : text;
    for (let at = 0; at < bytes.length;) {
      at += await this.#connection.write(bytes.subarray(at));
    }
  }

  /** A byte every few milliseconds, until the other side has had enough. */
  async drip(text: string | Uint8Array): Promise<void> {
    const bytes = typeof text === "string" ? encoder.encode(text) : text;
    for (let at = 0; at < bytes.length; at++) {
      await this.say(bytes.subarray(at, at + 1));
      await pause(20);
    }
  }
}

export interface RawServerOptions {
  readonly port?: number;
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
}

export class RawServer {
  readonly port: number;
  readonly #listener: Deno.Listener<Deno.Conn>;
  readonly #connections = new Set<Deno.Conn>();
  readonly #talk: (caller: Caller) => Promise<void>;
  readonly #serving: Promise<void>;

  /**
   * @param talk when it returns, or the other side closes, the connection ends
   * @param tls PEM texts, for a server that speaks TLS
   */
  constructor(
    talk: (caller: Caller) => Promise<void>,
    { port = 0, tls }: RawServerOptions = {},
  ) {
    const address = { hostname: "127.0.0.1", port };
    this.#listener = tls === undefined
      ? Deno.listen(address)
      : Deno.listenTls({ ...address, ...tls });
    this.port = (this.#listener.addr as Deno.NetAddr).port;
    this.#talk = talk;
    this.#serving = this.#serve();
  }

  async #serve(): Promise<void> {
    const talks: Promise<void>[] = [];
    for await (const connection of this.#listener) {
      this.#connections.add(connection);
      talks.push(this.#talkOver(connection));
    }
    await Promise.all(talks);
  }

  async #talkOver(connection: Deno.Conn): Promise<void> {
    try {
      await this.#talk(new Caller(connection));
    } catch (error) {
      ignoreClosed(error);
    } finally {
      if (this.#connections.delete(connection)) connection.close();
    }
  }

  async stop(): Promise<void> {
    this.#listener.close();
    for (const connection of this.#connections) connection.close();
    this.#connections.clear();
    await this.#serving;
  }
}

/** The other side may leave when it likes, and refuse the certificate. */
function ignoreClosed(error: unknown): void {
  const { errors } = Deno;
  const kinds = [
    ...[errors.ConnectionReset, errors.BrokenPipe, errors.Interrupted],
    ...[errors.BadResource, errors.InvalidData, errors.UnexpectedEof],
  ];
  const closed = kinds.some((kind) => error instanceof kind);
  if (!closed && !/tls handshake eof/.test(`${error}`)) throw error;
}

/** Runs a test with a server. */
export async function withRawServer(
  talk: (caller: Caller) => Promise<void>,
  test: (port: number) => Promise<void>,
  options: RawServerOptions = {},
): Promise<void> {
  const server = new RawServer(talk, options);
  try {
    await test(server.port);
  } finally {
    await server.stop();
  }
}
