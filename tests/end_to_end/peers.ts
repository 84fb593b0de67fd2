/** Real servers, each with a configuration and files of its own in a test's folder. */

import { until } from "./run.ts";

export function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/**
 * Below the ports that the kernel gives to clients: one of those could be taken by
 * anybody while a peer is down, even by the client that tries to reach it.
 */
const FIRST_PORT = 10_000;
const PORTS = 20_000;
/** Some of which nobody listens at yet. */
const givenOut = new Set<number>();

/** A port of 127.0.0.1 that nobody uses at this moment. */
export function freePort(): number {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS);
    if (givenOut.has(port)) continue;
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      givenOut.add(port);
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
  throw new Error("no port is free");
}

/**
 * Listens where this process has listened a moment ago, if only to find a free port. A
 * child of another test that has not begun its program yet still has that socket open.
 */
export async function listenAgain<Listener>(listen: () => Listener): Promise<Listener> {
  let listener: Listener | undefined;
  await until("the port to be free again", () => {
    try {
      listener = listen();
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
    return listener !== undefined;
  });
  return listener!;
}

export async function accepts(port: number, hostname = "127.0.0.1"): Promise<boolean> {
  try {
    (await Deno.connect({ hostname, port })).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return false;
    throw error;
  }
}

const READY_INTERVAL_MS = 20;

/** A server that can be stopped and started again with the same files. */
export class Server {
  readonly #command: readonly string[];
  readonly #isReady: () => boolean | Promise<boolean>;
  #child: Deno.ChildProcess | undefined;
  #ended = false;

  constructor(command: readonly string[], isReady: () => boolean | Promise<boolean>) {
    this.#command = command;
    this.#isReady = isReady;
  }

  /** Returns when it can be talked to. */
  async start(): Promise<void> {
    this.#spawn();
    await until(`${this.#command[0]} to be ready`, async () => {
      // A child of another test may still have the socket that has found its port free.
      if (this.#ended) this.#spawn();
      return await this.#isReady() && !this.#ended;
    }, READY_INTERVAL_MS);
  }

  #spawn(): void {
    const [name, ...args] = this.#command;
    const child = new Deno.Command(name!, {
      args,
      stdin: "null",
      stdout: "null",
      stderr: "inherit",
    }).spawn();
    this.#child = child;
    this.#ended = false;
    child.status.then(() => {
      if (child === this.#child) this.#ended = true;
    });
  }

  get pid(): number {
    return this.#child!.pid;
  }

  async stop(signal: Deno.Signal = "SIGTERM"): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined) return;
    // A test may have failed while it was stopped, and then it would not hear.
    if (signal !== "SIGKILL") child.kill("SIGCONT");
    child.kill(signal);
    await child.status;
  }
}

export interface Certificates {
  /** Paths of PEM files: the authority, the server's and a client's. */
  readonly ca: string;
  readonly serverCert: string;
  readonly serverKey: string;
  readonly clientCert: string;
  readonly clientKey: string;
}

/** Certificates for localhost, 127.0.0.1 and other hosts, made with openssl. */
export async function makeCertificates(
  folder: string,
  otherHosts: readonly string[] = [],
): Promise<Certificates> {
  const hosts = ["localhost", ...otherHosts].map((host) => `DNS:${host}`);
  const names = `subjectAltName=${hosts.join()},IP:127.0.0.1`;
  await openssl(folder, [
    ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"],
    ...["-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=test authority"],
  ]);
  for (const name of ["server", "client"]) {
    await openssl(folder, [
      ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"],
      ...["-CA", "ca.pem", "-CAkey", "ca.key", "-addext", names],
      ...["-addext", "basicConstraints=critical,CA:FALSE"],
      ...["-keyout", `${name}.key`, "-out", `${name}.pem`, "-subj", `/CN=${name}`],
    ]);
  }
  return {
    ca: `${folder}/ca.pem`,
    serverCert: `${folder}/server.pem`,
    serverKey: `${folder}/server.key`,
    clientCert: `${folder}/client.pem`,
    clientKey: `${folder}/client.key`,
  };
}

/** Runs openssl in a folder. */
export async function openssl(folder: string, args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("openssl", {
    args: [...args],
    cwd: folder,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}
