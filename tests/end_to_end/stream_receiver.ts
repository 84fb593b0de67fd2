/** A peer for streams, inside the test: keeps what comes over one connection after the other. */

import net from "node:net";
import { freePort } from "./peers.ts";

const RETRY_MS = 5;

export class Receiver {
  /** What `--output` calls it. */
  readonly destination: string;
  readonly #address: net.ListenOptions;
  readonly #connections = new Set<net.Socket>();
  readonly #streams: string[] = [];
  #server: net.Server | undefined;
  #reads = true;

  private constructor(destination: string, address: net.ListenOptions) {
    this.destination = destination;
    this.#address = address;
  }

  static tcp(): Receiver {
    const port = freePort();
    return new Receiver(`tcp://localhost:${port}`, { port, host: "127.0.0.1" });
  }

  static unix(path: string): Receiver {
    return new Receiver(`unix:${path}`, { path });
  }

  start(): void {
    if ("path" in this.#address) removeSocket(this.#address.path!);
    const server = net.createServer((connection) => this.#accept(connection));
    // See `listenAgain`.
    server.on("error", (error: Error & { code?: string }) => {
      if (error.code !== "EADDRINUSE") throw error;
      setTimeout(() => server.listen(this.#address), RETRY_MS);
    });
    server.listen(this.#address);
    this.#server = server;
  }

  #accept(connection: net.Socket): void {
    const stream = this.#streams.push("") - 1;
    this.#connections.add(connection);
    if (!this.#reads) connection.pause();
    connection.on("data", (bytes) => this.#streams[stream] += bytes.toString("latin1"));
    connection.on("error", () => connection.destroy());
    connection.on("close", () => this.#connections.delete(connection));
  }

  /** Closes everything at once. */
  stop(): void {
    this.#server?.close();
    for (const connection of this.#connections) connection.destroy();
    this.#connections.clear();
  }

  set reads(reads: boolean) {
    this.#reads = reads;
    for (const connection of this.#connections) {
      if (reads) connection.resume();
      else connection.pause();
    }
  }

  /** Everything so far, one connection after the other. */
  get text(): string {
    return this.#streams.join("");
  }

  /** Without what was cut at the end of a connection. */
  wholeLines(): string[] {
    return this.#streams.flatMap((stream) => stream.split("\n").slice(0, -1));
  }
}

function removeSocket(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
