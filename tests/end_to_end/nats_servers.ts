/** Real nats-servers with JetStream, alone or as a cluster, and what their streams hold. */

import { jetstreamManager, type StreamInfo } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { needing } from "./installed.ts";
import { accepts, freePort, Server } from "./peers.ts";
import { until } from "./run.ts";

export function needingNats(name: string): { name: string; ignore: boolean } {
  return needing(name, "nats-server", "nats-server");
}

const LOOPBACK = "127.0.0.1";
/** In seconds, with busy clients' TLS and passwords: by default it has two. */
export const PATIENCE = "timeout: 60";

/** One server, whose streams outlive it. */
export class NatsServer {
  readonly port: number;
  readonly server: Server;
  readonly #host: string;

  /** @param more of its configuration */
  constructor(
    folder: string,
    name: string,
    more = "",
    { host, port } = { host: LOOPBACK, port: freePort() },
  ) {
    this.#host = host;
    this.port = port;
    const path = `${folder}/${name}.conf`;
    Deno.writeTextFileSync(
      path,
      `server_name: ${name}
listen: ${host}:${port}
log_file: ${folder}/${name}.log
jetstream { store_dir: "${folder}/${name}", max_file: 1G, max_mem: 64M }
${more}
`,
    );
    this.server = new Server(["nats-server", "-c", path], () => accepts(port, host));
  }

  get address(): string {
    return `${this.#host}:${this.port}`;
  }
}

/** Three servers that know each other. */
export class NatsCluster {
  readonly servers: readonly NatsServer[];

  /** @param hosts loopback addresses; with the standard port where they are given */
  constructor(folder: string, hosts: readonly string[] = []) {
    const routePorts = [0, 1, 2].map(() => freePort());
    const routes = routePorts.map((port) => `nats://127.0.0.1:${port}`).join(", ");
    this.servers = routePorts.map((port, index) =>
      new NatsServer(
        folder,
        `node-${index}`,
        `cluster { name: test, listen: 127.0.0.1:${port}, routes: [${routes}] }`,
        hosts[index] === undefined ? undefined : { host: hosts[index], port: 4222 },
      )
    );
  }

  get addresses(): string {
    return this.servers.map(({ address }) => address).join(",");
  }

  async start(): Promise<void> {
    await Promise.all(this.servers.map(({ server }) => server.start()));
  }

  async stop(signal?: Deno.Signal): Promise<void> {
    await Promise.all(this.servers.map(({ server }) => server.stop(signal)));
  }
}

/** Uses a connection to any of the servers. */
export async function withNats<T>(
  addresses: string,
  use: (connection: NatsConnection) => Promise<T>,
  options: Parameters<typeof connect>[0] = {},
): Promise<T> {
  const connection = await connect({ servers: addresses.split(","), ...options });
  try {
    return await use(connection);
  } finally {
    await connection.close();
  }
}

/** What servers answer, as soon as they do: they may be busy, or nobody leads a stream. */
export async function answer<T>(
  addresses: string,
  use: (connection: NatsConnection) => Promise<T>,
): Promise<T> {
  let found: { readonly value: T } | undefined;
  let failure: unknown;
  await until(() => `an answer of ${addresses}: ${failure}`, async () => {
    try {
      found = { value: await withNats(addresses, use) };
    } catch (error) {
      failure = error;
    }
    return found !== undefined;
  }, 200);
  return found!.value;
}

/** Makes a stream as soon as JetStream is ready for it. */
export async function makeStream(
  connection: NatsConnection,
  name: string,
  subjects: string[],
  replicas = 1,
): Promise<void> {
  await until(`the stream ${name}`, async () => {
    try {
      const manager = await jetstreamManager(connection);
      await manager.streams.add({ name, subjects, num_replicas: replicas });
      return true;
    } catch {
      return false;
    }
  }, 100);
}

export async function streamInfo(
  connection: NatsConnection,
  name: string,
): Promise<StreamInfo> {
  const manager = await jetstreamManager(connection);
  return await manager.streams.info(name);
}

export interface Stored {
  readonly subject: string;
  readonly id: string;
  readonly partial: boolean;
  readonly text: string;
}

/** So many messages are asked for at once. */
const REQUESTS = 256;

/** All that a stream holds, in its order. */
export async function allStored(addresses: string, stream: string): Promise<Stored[]> {
  return await answer(addresses, (connection) => stored(connection, stream));
}

/**
 * Each message is asked for, since a request has a deadline: a consumer waits for ever
 * for what the end of its server keeps from it.
 */
async function stored(
  connection: NatsConnection,
  name: string,
): Promise<Stored[]> {
  const { streams } = await jetstreamManager(connection);
  const { state } = await streams.info(name);
  const found: Stored[] = [];
  for (let first = state.first_seq; first <= state.last_seq; first += REQUESTS) {
    const count = Math.min(REQUESTS, state.last_seq - first + 1);
    const messages = await Promise.all(
      Array.from(
        { length: count },
        (_, index) => streams.getMessage(name, { seq: first + index }),
      ),
    );
    for (const message of messages) {
      if (message === null) continue;
      found.push({
        subject: message.subject,
        id: message.header?.get("Nats-Msg-Id") ?? "",
        partial: message.header?.get("Spillway-Partial") === "true",
        text: message.string(),
      });
    }
  }
  return found;
}
