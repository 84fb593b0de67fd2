import {
  type ConnectionOptions,
  extractProtocolMessage,
  type Server,
  type Transport,
} from "@nats-io/nats-core/internal";
import { connectUpgradable, type Upgradable } from "../../runtime/upgradable.ts";
import { breakOff } from "../../system/sockets.ts";
import { descriptorOf } from "../../system/tcp.ts";
import type { TlsSettings } from "../../runtime/tls.ts";

/** A server says more than this of itself only in very large clusters. */
const MAX_INFO_BYTES = 1024 * 1024;

/**
 * What the client sends and receives through. Its own for Node lets errors of a
 * connection that it has given up end the whole thread.
 */
export class NatsTransport implements Transport {
  readonly lang = "spillway";
  readonly version = "1";
  closeError?: Error;
  readonly #tls: TlsSettings | undefined;
  readonly #closed = Promise.withResolvers<void>();
  #connection: Upgradable | undefined;
  /** What the server said first, which was looked at before the client asked for it. */
  #first: Uint8Array = new Uint8Array();
  #connected = false;
  #done = false;
  #writing: Promise<void> = Promise.resolve();

  constructor(tls: TlsSettings | undefined) {
    this.#tls = tls;
  }

  async connect({ hostname, port }: Server, _options: ConnectionOptions): Promise<void> {
    const connection = await connectUpgradable(hostname, port);
    this.#connection = connection;
    if (this.#done) {
      connection.close();
      return;
    }
    const info = await this.#info(connection);
    const offered = info["tls_required"] === true || info["tls_available"] === true;
    if (this.#tls !== undefined) {
      if (!offered) throw new Error("the server has no TLS");
      await connection.startTls(hostname, this.#tls);
    } else if (info["tls_required"] === true) {
      throw new Error("the server wants TLS: write nats+tls://");
    }
    this.#connected = true;
  }

  async #info(connection: Upgradable): Promise<Record<string, unknown>> {
    for (;;) {
      const bytes = await connection.read();
      if (bytes === undefined) throw new Error("the server closed the connection");
      this.#first = concat(this.#first, bytes);
      const line = extractProtocolMessage(this.#first);
      const json = /^INFO\s+(\{.*\})/is.exec(line)?.[1];
      if (json !== undefined) return JSON.parse(json);
      if (line !== "" || this.#first.length > MAX_INFO_BYTES) {
        throw new Error("what answers is no NATS server");
      }
    }
  }

  async *[Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
    try {
      yield this.#first;
      for (;;) {
        const bytes = await this.#read();
        if (bytes === undefined) return;
        yield bytes;
      }
    } finally {
      // The client reads no more of what it does not understand, and leaves it at that.
      this.#end(new Error("what the server said cannot be understood"));
    }
  }

  async #read(): Promise<Uint8Array | undefined> {
    try {
      const bytes = await this.#connection!.read();
      if (bytes !== undefined) return bytes;
      this.#end();
    } catch (error) {
      this.#end(error);
    }
    return undefined;
  }

  send(frame: Uint8Array): void {
    this.#writing = this.#writing.then(() =>
      this.#done ? undefined : this.#connection!.write(frame)
    ).catch((error) => this.#end(error));
  }

  /** The first reason counts. */
  #end(error?: unknown): void {
    if (this.#done) return;
    this.#done = true;
    if (error instanceof Error) this.closeError = error;
    if (!this.#connected || this.closeError !== undefined) this.#breakOff();
    this.#connection?.close();
    if (this.#connected) this.#closed.resolve();
  }

  #breakOff(): void {
    const { ends } = this.#connection ?? {};
    const descriptor = ends && descriptorOf(ends);
    if (descriptor !== undefined) breakOff(descriptor);
  }

  get isClosed(): boolean {
    return this.#done;
  }

  isEncrypted(): boolean {
    return this.#tls !== undefined;
  }

  /** At once: what has not been acknowledged is sent again over another connection. */
  close(error?: Error): Promise<void> {
    this.#end(error);
    return Promise.resolve();
  }

  disconnect(): void {
    this.#end();
  }

  closed(): Promise<void> {
    return this.#closed.promise;
  }

  discard(): void {
    this.#end();
  }
}

function concat(first: Uint8Array, second: Uint8Array): Uint8Array {
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}
