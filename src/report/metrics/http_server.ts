/**
 * A web server for a handful of small pages that must never cost the program
 * more than a bounded amount, whoever calls: one request a connection, without a
 * body. (`node:http` has limits too, but Deno 2.4 does not enforce them.)
 */

import { isMeant, type Listening, whyNotMeant } from "./host_check.ts";
import { parseHead } from "./request_head.ts";
import { formatHostPort } from "../../host_port.ts";
import {
  type Caller,
  type ListenAddress,
  listenTcp,
} from "../../runtime/tcp_listener.ts";
import { isLoopback, numericHost, resolve } from "../../system/socket_addresses.ts";

/** The statuses of RFC 9110 and RFC 6585 that are used. */
const STATUS = {
  200: "OK",
  400: "Bad Request",
  404: "Not Found",
  405: "Method Not Allowed",
  421: "Misdirected Request",
  431: "Request Header Fields Too Large",
  503: "Service Unavailable",
} as const;

export interface Reply {
  readonly status: keyof typeof STATUS;
  readonly type: string;
  readonly body: string | Uint8Array;
}

/**
 * Makes the reply to a path; must not throw and not wait.
 *
 * @param accept what the request says of formats, in the words of RFC 9110, 12.5.1
 */
export type Answer = (path: string, accept: string) => Reply;

/** When there are more, those that have been open longest have to go … */
const MAX_CONNECTIONS = 32;
/** … but only after so long, in which whoever has a request says it … */
const PATIENCE_MS = 100;
/** … unless there are even more: then one goes for each that comes. */
const MAX_CONNECTIONS_AT_ONCE = 512;
/** In one the read begins, in the next its bytes are there, in the third they are heard. */
const TURNS_TO_READ = 3;
/** A connection lives so long at most, whatever the other side does. */
const CONNECTION_MS = 10_000;

/** Pages may show and fetch what this server itself says, and nothing else. */
const SECURITY_HEADERS = [
  "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "X-Content-Type-Options: nosniff",
  "Referrer-Policy: no-referrer",
];

/** A connection that waits for the rest of its request, or for its reply to be taken. */
interface Visitor {
  request: string;
  readonly sinceMs: number;
  readonly deadline: ReturnType<typeof setTimeout>;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("latin1");

/**
 * Serves until the program ends, on a thread that serves events.
 *
 * @returns where: `http://127.0.0.1:9464/`
 * @throws Error with the system's words when the address cannot be used.
 */
export function serveHttp({ host, port }: ListenAddress, answer: Answer): string {
  const visitors = new Visitors();
  // Here, since Bun does not say which address of a name it has taken.
  const addresses = resolve(host, port, "stream");
  if (typeof addresses === "string") throw new Error(addresses);
  const [address] = addresses;
  if (address === undefined) throw new Error("it has no address");
  const listening = { name: host, onLoopback: isLoopback(address) };
  const found = listenTcp({ host: numericHost(address), port }, {
    onOpen: (caller) => visitors.add(caller),
    onData: (caller, bytes) => {
      const visitor = visitors.get(caller);
      if (visitor === undefined) return;
      visitor.request += decoder.decode(bytes);
      const reply = replyTo(visitor.request, listening, answer);
      if (reply !== undefined) caller.finish(reply);
    },
    onClose: (caller) => visitors.remove(caller),
  });
  return `http://${formatHostPort(found)}/`;
}

/**
 * All connections that are open, a bounded number. Of a flood of them a runtime may
 * accept hundreds before it reads from the first.
 */
class Visitors {
  /** In the order in which they came. */
  readonly #visitors = new Map<Caller, Visitor>();
  #trimming: ReturnType<typeof setTimeout> | undefined;

  add(caller: Caller): void {
    const deadline = setTimeout(() => caller.abort(), CONNECTION_MS);
    const sinceMs = performance.now();
    this.#visitors.set(caller, { request: "", sinceMs, deadline });
    this.#dismissOldest(MAX_CONNECTIONS_AT_ONCE, sinceMs);
    this.#trim();
  }

  get(caller: Caller): Visitor | undefined {
    return this.#visitors.get(caller);
  }

  remove(caller: Caller): void {
    clearTimeout(this.#visitors.get(caller)?.deadline);
    this.#visitors.delete(caller);
  }

  #trim(): void {
    if (this.#trimming !== undefined || this.#visitors.size <= MAX_CONNECTIONS) return;
    this.#trimming = setTimeout(() => {
      const untilMs = performance.now() - PATIENCE_MS;
      // What has come by now is read first, however late the thread was to wake.
      afterTurns(TURNS_TO_READ, () => {
        this.#trimming = undefined;
        this.#dismissOldest(MAX_CONNECTIONS, untilMs);
        this.#trim();
      });
    }, PATIENCE_MS / 2);
  }

  /** Those that came until then, as far as there are more than `left` in all. */
  #dismissOldest(left: number, untilMs: number): void {
    for (const [caller, { sinceMs }] of this.#visitors) {
      if (this.#visitors.size <= left || sinceMs > untilMs) return;
      this.remove(caller);
      caller.abort();
    }
  }
}

/** Calls back when the event loop has come round so many times. */
function afterTurns(turns: number, callback: () => void): void {
  if (turns === 0) callback();
  else setTimeout(() => afterTurns(turns - 1, callback), 1);
}

/**
 * The whole reply, once the head of the request is complete.
 */
function replyTo(
  request: string,
  listening: Listening,
  answer: Answer,
): Uint8Array<ArrayBuffer> | undefined {
  const head = parseHead(request);
  if (head === undefined) return undefined;
  if (typeof head === "number") return written(failure(head));
  const { method, path, hosts, accept } = head;
  if (!isMeant(hosts, listening)) {
    return written(failure(421, `: ${whyNotMeant(listening)}`));
  }
  if (method !== "GET" && method !== "HEAD") return written(failure(405));
  return written(answer(path, accept), method === "HEAD");
}

/** A status said in its own words. @param more what else there is to say of it */
export function failure(status: Reply["status"], more = ""): Reply {
  const body = `${status} ${STATUS[status]}${more}\n`;
  return { status, type: "text/plain; charset=utf-8", body };
}

function written(
  { status, type, body }: Reply,
  headOnly = false,
): Uint8Array<ArrayBuffer> {
  const bytes = typeof body === "string" ? encoder.encode(body) : body;
  const head = encoder.encode([
    `HTTP/1.1 ${status} ${STATUS[status]}`,
    `Content-Type: ${type}`,
    `Content-Length: ${bytes.length}`,
    "Cache-Control: no-store",
    "Connection: close",
    ...(status === 405 ? ["Allow: GET, HEAD"] : []),
    ...SECURITY_HEADERS,
    "\r\n",
  ].join("\r\n"));
  if (headOnly) return head;
  const all = new Uint8Array(head.length + bytes.length);
  all.set(head);
  all.set(bytes, head.length);
  return all;
}
