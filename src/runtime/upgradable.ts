/**
 * TCP connections that go over to TLS after some bytes, as the protocol of NATS has it.
 * They trust whom the connections of tls.ts trust.
 */

import type { Socket } from "node:net";
import { connectToAny } from "./any_address.ts";
import { nodeNet, nodeTls } from "./on_demand.ts";
import { inWords, strictOptions, type TlsSettings, trustNobodyByDefault } from "./tls.ts";

export interface Upgradable {
  /** The next bytes; undefined at the end. One call at a time. Rejects when it broke. */
  read(): Promise<Uint8Array | undefined>;
  /** Settles when the system has taken them. */
  write(bytes: Uint8Array): Promise<void>;
  /** Goes over to TLS with `host`, while nothing is being read or written. */
  startTls(host: string, tls: TlsSettings): Promise<void>;
  /**
   * Also ends what is being read or written. With TLS under Deno 2.4 that waits for a peer
   * that does not answer, to say goodbye to it.
   */
  close(): void;
  /** By which its socket can be found, where `close` may not be enough. */
  readonly ends?: Ends;
}

/** In numbers. */
interface Ends {
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
}

/**
 * The `node:tls` of Deno 2.4 does not say what is wrong with a server's certificate, and
 * neither it nor what Deno has of its own shows one of ours on a connection that did not
 * begin with TLS. Later versions do (tests/end_to_end/nats_tls.test.ts).
 */
export const canShowCertificate = "Bun" in globalThis ||
  !Deno.version.deno.startsWith("2.4.");

export function connectUpgradable(
  host: string,
  port: number,
): Promise<Upgradable> {
  return canShowCertificate
    ? NodeUpgradable.open(host, port)
    : DenoUpgradable.open(host, port);
}

const READ_BYTES = 64 * 1024;

/** For Deno 2.4, and to go with it. */
class DenoUpgradable implements Upgradable {
  readonly ends: Ends;
  #connection: Deno.TcpConn | Deno.TlsConn;
  readonly #buffer = new Uint8Array(READ_BYTES);

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
    const { localAddr, remoteAddr } = connection;
    this.ends = {
      localPort: localAddr.port,
      remoteAddress: remoteAddr.hostname,
      remotePort: remoteAddr.port,
    };
  }

  static async open(host: string, port: number): Promise<DenoUpgradable> {
    const connection = await connectToAny(
      host,
      (hostname) => Deno.connect({ hostname, port }),
    );
    connection.setNoDelay();
    return new DenoUpgradable(connection);
  }

  async read(): Promise<Uint8Array | undefined> {
    const count = await this.#connection.read(this.#buffer);
    return count === null ? undefined : this.#buffer.slice(0, count);
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      at += await this.#connection.write(bytes.subarray(at));
    }
  }

  async startTls(hostname: string, { ca }: TlsSettings): Promise<void> {
    const plain = this.#connection as Deno.TcpConn;
    trustNobodyByDefault();
    const connection = await Deno.startTls(plain, { hostname, caCerts: [ca] });
    this.#connection = connection;
    // The certificate is looked at before anything is said.
    await connection.handshake().catch((error) => {
      throw inWords(error);
    });
  }

  close(): void {
    try {
      this.#connection.close();
    } catch {
      // It is closed already, or was while it went over to TLS.
    }
  }
}

class NodeUpgradable implements Upgradable {
  #socket: Socket;
  #failure: Error | undefined;
  #ended = false;
  readonly #unread: Uint8Array[] = [];
  /** Whoever waits for bytes, or for the connection to be made. */
  #wake: (() => void) | undefined;
  readonly #onData = (bytes: Uint8Array) => {
    this.#unread.push(bytes);
    // Until they are read no more is to come.
    this.#socket.pause();
    this.#wake?.();
  };

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#listen(socket);
  }

  static async open(host: string, port: number): Promise<NodeUpgradable> {
    const socket = nodeNet().connect({ host, port, noDelay: true });
    const connection = new NodeUpgradable(socket);
    await connection.#until(socket, "connect");
    return connection;
  }

  #listen(socket: Socket): void {
    socket.on("data", this.#onData);
    socket.on("error", (error) => this.#fail(error));
    socket.on("end", () => {
      this.#ended = true;
      this.#wake?.();
    });
    socket.on("close", () => this.#fail(new Error("it was closed")));
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#wake?.();
  }

  async #until(socket: Socket, event: "connect" | "secureConnect"): Promise<void> {
    let done = false;
    socket.once(event, () => {
      done = true;
      this.#wake?.();
    });
    while (!done) {
      if (this.#failure !== undefined) throw this.#failure;
      await this.#news();
    }
  }

  #news(): Promise<void> {
    return new Promise((resolve) => this.#wake = resolve);
  }

  async read(): Promise<Uint8Array | undefined> {
    for (;;) {
      const bytes = this.#unread.shift();
      if (bytes !== undefined) return bytes;
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#ended) return undefined;
      this.#socket.resume();
      await this.#news();
    }
  }

  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) =>
      this.#socket.write(bytes, (error) => error ? reject(error) : resolve())
    );
  }

  async startTls(host: string, tls: TlsSettings): Promise<void> {
    const plain = this.#socket;
    plain.off("data", this.#onData);
    trustNobodyByDefault();
    const socket = nodeTls().connect({ socket: plain, ...strictOptions(host, tls) });
    this.#socket = socket;
    this.#listen(socket);
    await this.#until(socket, "secureConnect");
  }

  close(): void {
    this.#socket.destroy();
  }
}
