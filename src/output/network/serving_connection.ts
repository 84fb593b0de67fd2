import type { Socket } from "node:net";
import { messageOf, TemporaryError } from "../../errors.ts";
import type { HostPort } from "../../host_port.ts";
import { breakOff } from "../../system/sockets.ts";
import { descriptorOf } from "../../system/tcp.ts";
import { nodeNet } from "../../runtime/on_demand.ts";
import { connectTls, type TlsStream } from "../../runtime/tls.ts";
import { CLOSED } from "./stream_connection.ts";
import { loadTls, type TlsFiles } from "./tls_settings.ts";

/** Bytes that came and were not asked for yet; a peer that sends more is made to wait. */
const MAX_UNREAD_BYTES = 1024 * 1024;

/**
 * A connection that needs the event loop: what TLS and replies come through. It
 * never fails in silence. Being connected, and whatever else is asked for `inTime`, is
 * waited for no longer than its timeout. Flusher thread only.
 */
export class ServingConnection {
  readonly #name: string;
  readonly #socket: Socket | TlsStream;
  readonly #timeoutMs: number;
  readonly #unread: Uint8Array[] = [];
  #unreadBytes = 0;
  #ended = false;
  #isLate = false;
  #failure: string | undefined;
  /** Whoever waits for something to happen: a write and a read at most. */
  readonly #waiting = new Set<() => void>();

  private constructor(name: string, socket: Socket | TlsStream, timeoutMs: number) {
    this.#name = name;
    this.#socket = socket;
    this.#timeoutMs = timeoutMs;
    socket.on("data", (bytes: Uint8Array) => {
      this.#unread.push(bytes);
      this.#unreadBytes += bytes.length;
      if (this.#unreadBytes > MAX_UNREAD_BYTES) socket.pause();
      this.#wake();
    });
    socket.on("end", () => {
      this.#ended = true;
      this.#wake();
    });
    socket.on("error", (error: Error) => this.#fail(messageOf(error)));
    socket.on("close", () => this.#fail(CLOSED));
    // It may come when it was given up already.
    socket.on("connect", () => socket.destroyed && this.#breakOff());
  }

  /**
   * Connects, with TLS where files for it are named.
   *
   * @throws TemporaryError
   */
  static async open(
    name: string,
    { host, port }: HostPort,
    tls: TlsFiles | undefined,
    timeoutMs: number,
  ): Promise<ServingConnection> {
    const what = `cannot ${
      tls === undefined ? "connect" : "make a TLS connection"
    } to ${name}`;
    const socket = begin(
      what,
      () =>
        tls === undefined
          ? nodeNet().connect({ host, port, noDelay: true })
          : connectTls(host, port, loadTls(tls)),
    );
    const connection = new ServingConnection(name, socket, timeoutMs);
    let connected = false;
    socket.once(tls === undefined ? "connect" : "secureConnect", () => {
      connected = true;
      connection.#wake();
    });
    await connection.inTime(() => connection.#until(() => connected, what));
    return connection;
  }

  /**
   * Whatever `talk` waits for must have happened within the timeout: a peer that gives
   * a sign of itself now and then, and never what was asked for, has failed.
   */
  async inTime<T>(talk: () => Promise<T>): Promise<T> {
    const timer = setTimeout(() => {
      this.#isLate = true;
      this.#fail(`that took longer than ${this.#timeoutMs / 1000} s`);
    }, this.#timeoutMs);
    try {
      return await talk();
    } finally {
      clearTimeout(timer);
    }
  }

  /** It has failed because something was not done in time. */
  get isLate(): boolean {
    return this.#isLate;
  }

  /** Why nothing more can be sent; undefined as long as it seems to work. */
  get failure(): string | undefined {
    return this.#failure ?? (this.#ended ? CLOSED : undefined);
  }

  /**
   * Lets what has happened to the connection be seen. While this thread slept, its
   * events could not run.
   */
  async hearNews(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 0));
  }

  /** Something has come that was not read. */
  get hasUnread(): boolean {
    return this.#unread.length > 0;
  }

  /** The system's own number of the socket. */
  get descriptor(): number | undefined {
    const { localPort, remoteAddress, remotePort } = this.#socket;
    if (localPort === undefined || remoteAddress === undefined) return undefined;
    return descriptorOf({ localPort, remoteAddress, remotePort: remotePort ?? 0 });
  }

  /** Gives bytes to the connection; returns when the system has taken them. */
  async write(bytes: Uint8Array): Promise<void> {
    let taken = false;
    this.#socket.write(bytes, () => {
      taken = true;
      this.#wake();
    });
    await this.#until(() => taken, `cannot send to ${this.#name}`);
  }

  /** The next bytes that come; undefined at the end. */
  async read(): Promise<Uint8Array | undefined> {
    await this.#until(
      () => this.#unread.length > 0 || this.#ended,
      `no reply came from ${this.#name}`,
    );
    const bytes = this.#unread.shift();
    this.#unreadBytes -= bytes?.length ?? 0;
    if (this.#unreadBytes <= MAX_UNREAD_BYTES) this.#socket.resume();
    return bytes;
  }

  /** Waits for `done`, or for the connection to fail. */
  async #until(done: () => boolean, failed: string): Promise<void> {
    while (!done()) {
      if (this.#failure !== undefined) {
        this.close();
        throw new TemporaryError(`${failed}: ${this.#failure}`);
      }
      await this.#news();
    }
  }

  async #news(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add(resolve);
    await promise;
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }

  #fail(reason: string): void {
    this.#failure ??= reason;
    this.#wake();
  }

  /**
   * Says that no more comes, and waits until the peer has closed or the time is over.
   * How it closes says nothing: many leave out the end that TLS asks for.
   */
  async sayGoodbye(timeoutMs: number): Promise<void> {
    this.#socket.end();
    const timer = setTimeout(() => this.#fail(CLOSED), timeoutMs);
    while (this.failure === undefined) await this.#news();
    clearTimeout(timer);
    this.close();
  }

  /** To do so again does nothing. */
  close(): void {
    if (this.#socket.destroyed) return;
    if (this.#failure !== undefined) this.#breakOff();
    this.#failure ??= "it is closed";
    this.#socket.destroy();
  }

  /**
   * Goodbyes are for peers that answer: a runtime would wait for others without end, and
   * keep the descriptor.
   */
  #breakOff(): void {
    const { descriptor } = this;
    if (descriptor !== undefined) breakOff(descriptor);
  }
}

/** What a runtime refuses at once is a failure like any other. @throws TemporaryError */
function begin<T>(what: string, connect: () => T): T {
  try {
    return connect();
  } catch (error) {
    throw new TemporaryError(`${what}: ${messageOf(error)}`);
  }
}
