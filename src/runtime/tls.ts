/**
 * TLS connections as streams. Deno's own are wrapped: its `node:tls` sends no client
 * certificate in every version, and does not say what is wrong with a server's.
 */

import { Duplex } from "node:stream";
import { nodeTls } from "./on_demand.ts";

/** A stream over a TCP connection that emits `secureConnect` when it is ready. */
export interface TlsStream extends Duplex {
  readonly localPort?: number | undefined;
  readonly remotePort?: number | undefined;
}

/** PEM texts. */
export interface TlsSettings {
  /** Authorities that are trusted. */
  readonly ca: string;
  /** Who we are: both or none. */
  readonly cert?: string;
  readonly key?: string;
}

/** Connects, and makes sure that the server is `host`. */
export function connectTls(host: string, port: number, tls: TlsSettings): TlsStream {
  return "Bun" in globalThis
    ? nodeTls().connect({ host, port, servername: host, ...tls })
    : new DenoTlsStream(host, port, tls);
}

const READ_BYTES = 64 * 1024;

class DenoTlsStream extends Duplex implements TlsStream {
  readonly #opening: Promise<Deno.TlsConn>;
  localPort: number | undefined;
  remotePort: number | undefined;

  constructor(hostname: string, port: number, { ca, cert, key }: TlsSettings) {
    super();
    const identity = cert === undefined || key === undefined ? {} : { cert, key };
    this.#opening = Deno.connectTls({ hostname, port, caCerts: [ca], ...identity });
    this.#open().catch((error) => this.destroy(error));
  }

  async #open(): Promise<void> {
    const connection = await this.#opening;
    // The certificates are looked at before the connection counts as made.
    await connection.handshake();
    this.localPort = (connection.localAddr as Deno.NetAddr).port;
    this.remotePort = (connection.remoteAddr as Deno.NetAddr).port;
    this.emit("secureConnect");
  }

  override _read(): void {
    this.#pull().catch((error) => this.destroy(error));
  }

  async #pull(): Promise<void> {
    const connection = await this.#opening;
    const buffer = new Uint8Array(READ_BYTES);
    const count = await connection.read(buffer);
    this.push(count === null ? null : buffer.subarray(0, count));
  }

  override _write(
    bytes: Uint8Array,
    _encoding: string,
    done: (error?: Error) => void,
  ): void {
    this.#push(bytes).then(() => done(), done);
  }

  async #push(bytes: Uint8Array): Promise<void> {
    const connection = await this.#opening;
    for (let at = 0; at < bytes.length;) {
      at += await connection.write(bytes.subarray(at));
    }
  }

  override _final(done: (error?: Error) => void): void {
    this.#opening.then((connection) => connection.closeWrite()).then(() => done(), done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    // One that has never been made needs no closing, and has said why already.
    this.#opening.then((connection) => connection.close()).catch(() => {});
    done(error);
  }
}
