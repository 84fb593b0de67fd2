/**
 * A TCP server that costs little, from what each runtime has of its own. With
 * `node:net` every connection leaves large buffers to the garbage collector, some
 * 40 MB in a minute of scraping, and Deno 2.4 accepts only a limited number of
 * connections in all.
 */

/** Where to listen. */
export interface ListenAddress {
  readonly host: string;
  /** 0: one that is free. */
  readonly port: number;
}

/** Whoever has connected. Calls after the connection has closed do nothing. */
export interface Caller {
  /** Sends all of it, and closes. Once, and last. */
  finish(bytes: Uint8Array<ArrayBuffer>): void;
  /** Closes at once. */
  abort(): void;
}

/** What is heard of callers, on the thread that listens. */
export interface CallerEvents {
  onOpen(caller: Caller): void;
  /** `bytes` are good until this returns. */
  onData(caller: Caller, bytes: Uint8Array): void;
  onClose(caller: Caller): void;
}

/**
 * Listens until the program ends.
 *
 * @returns where, with the port that was found
 * @throws Error with the system's words when the address cannot be used.
 */
export function listenTcp(
  address: ListenAddress,
  events: CallerEvents,
): ListenAddress {
  return "Bun" in globalThis
    ? listenWithBun(address, events)
    : listenWithDeno(address, events);
}

/** How much is read at once from one connection. */
const READ_BYTES = 2048;

function listenWithDeno(
  { host, port }: ListenAddress,
  events: CallerEvents,
): ListenAddress {
  const listener = Deno.listen({ hostname: host, port });
  acceptAll(listener, events);
  return { host: listener.addr.hostname, port: listener.addr.port };
}

/** A connection that cannot be accepted now may be when others have closed. */
const ACCEPT_PAUSE_MS = 1000;

async function acceptAll(listener: Deno.Listener, events: CallerEvents) {
  for (;;) {
    // It fails when there are no descriptors left, or the client has gone before
    // it was accepted; the caller notices, and the data path goes on without.
    const socket = await listener.accept().catch(() => undefined);
    if (socket !== undefined) new DenoCaller(socket, events);
    else await new Promise((resolve) => setTimeout(resolve, ACCEPT_PAUSE_MS));
  }
}

class DenoCaller implements Caller {
  readonly #socket: Deno.Conn;
  readonly #events: CallerEvents;
  #open = true;
  /** What is being sent; nothing is read any more then. */
  #reply: Uint8Array<ArrayBuffer> | undefined;

  constructor(socket: Deno.Conn, events: CallerEvents) {
    this.#socket = socket;
    this.#events = events;
    events.onOpen(this);
    this.#converse();
  }

  finish(bytes: Uint8Array<ArrayBuffer>): void {
    this.#reply = bytes;
  }

  abort(): void {
    if (!this.#open) return;
    this.#open = false;
    // What is being read or written fails then.
    this.#socket.close();
    this.#events.onClose(this);
  }

  async #converse(): Promise<void> {
    const buffer = new Uint8Array(READ_BYTES);
    while (this.#open && this.#reply === undefined) {
      const count = await this.#socket.read(buffer).catch(gone);
      if (count === null) break;
      this.#events.onData(this, buffer.subarray(0, count));
    }
    for (let rest = this.#reply; this.#open && rest !== undefined && rest.length > 0;) {
      const count = await this.#socket.write(rest).catch(gone);
      if (count === null) break;
      rest = rest.subarray(count);
    }
    this.abort();
  }
}

/** The other side has closed, or `abort` has; there is no one left to tell. */
function gone(): null {
  return null;
}

/** The part of Bun.listen that is used: https://bun.com/docs/api/tcp */
interface BunSocket {
  data: BunCaller;
  write(bytes: Uint8Array): number;
  end(): void;
  terminate(): void;
}

interface BunHandlers {
  open(socket: BunSocket): void;
  data(socket: BunSocket, bytes: Uint8Array): void;
  drain(socket: BunSocket): void;
  close(socket: BunSocket): void;
  error(socket: BunSocket, error: Error): void;
}

interface BunRuntime {
  listen(options: { hostname: string; port: number; socket: BunHandlers }): {
    readonly hostname: string;
    readonly port: number;
  };
}

function listenWithBun(
  { host, port }: ListenAddress,
  events: CallerEvents,
): ListenAddress {
  const { Bun } = globalThis as unknown as { Bun: BunRuntime };
  const socket: BunHandlers = {
    open: (socket) => {
      socket.data = new BunCaller(socket);
      events.onOpen(socket.data);
    },
    data: ({ data }, bytes) => {
      if (!data.finishing) events.onData(data, bytes);
    },
    drain: ({ data }) => data.writeRest(),
    close: ({ data }) => events.onClose(data),
    // The other side is gone; "close" follows.
    error: () => {},
  };
  try {
    const listener = Bun.listen({ hostname: host, port, socket });
    return { host: listener.hostname, port: listener.port };
  } catch (error) {
    // Why is said in the code only.
    const { message, code } = error as Error & { code?: string };
    throw new Error(code === undefined ? message : `${message} (${code})`);
  }
}

class BunCaller implements Caller {
  readonly #socket: BunSocket;
  #rest: Uint8Array | undefined;

  constructor(socket: BunSocket) {
    this.#socket = socket;
  }

  get finishing(): boolean {
    return this.#rest !== undefined;
  }

  finish(bytes: Uint8Array<ArrayBuffer>): void {
    this.#rest = bytes;
    this.writeRest();
  }

  /** Goes on when the other side has taken what was sent. */
  writeRest(): void {
    if (this.#rest === undefined) return;
    const count = this.#socket.write(this.#rest);
    this.#rest = this.#rest.subarray(Math.max(0, count));
    if (this.#rest.length === 0) this.#socket.end();
  }

  abort(): void {
    this.#socket.terminate();
  }
}
