/**
 * A web server for a handful of small pages that must never cost the program
 * more than a bounded amount, whoever calls: one request a connection, without a
 * body. (`node:http` has limits too, but Deno 2.4 does not enforce them.)
 */

import {
  type Connection,
  type ListenAddress,
  listenTcp,
} from "../../runtime/tcp_listener.ts";

/** The statuses of RFC 9110 and RFC 6585 that are used. */
const STATUS = {
  200: "OK",
  400: "Bad Request",
  404: "Not Found",
  405: "Method Not Allowed",
  431: "Request Header Fields Too Large",
  503: "Service Unavailable",
} as const;

export interface Reply {
  readonly status: keyof typeof STATUS;
  readonly type: string;
  readonly body: string;
}

/** Makes the reply to a path; must not throw and not wait. */
export type Answer = (path: string) => Reply;

/** When there are more, the one that has been open longest has to go. */
const MAX_CONNECTIONS = 32;
/** A connection lives so long at most, whatever the other side does. */
const CONNECTION_MS = 10_000;
const MAX_REQUEST_BYTES = 8 * 1024;

/** Pages may show and fetch what this server itself says, and nothing else. */
const SECURITY_HEADERS = [
  "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "X-Content-Type-Options: nosniff",
  "Referrer-Policy: no-referrer",
];

/** A connection that waits for the rest of its request, or for its reply to be taken. */
interface Visitor {
  request: string;
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
export function serveHttp(address: ListenAddress, answer: Answer): string {
  /** In the order in which they came. */
  const visitors = new Map<Connection, Visitor>();
  const { host, port } = listenTcp(address, {
    onOpen: (connection) => {
      const deadline = setTimeout(() => connection.abort(), CONNECTION_MS);
      visitors.set(connection, { request: "", deadline });
      if (visitors.size > MAX_CONNECTIONS) dismiss(visitors, [...visitors.keys()][0]!);
    },
    onData: (connection, bytes) => {
      const visitor = visitors.get(connection);
      if (visitor === undefined) return;
      visitor.request += decoder.decode(bytes);
      const reply = replyTo(visitor.request, answer);
      if (reply !== undefined) connection.finish(encoder.encode(reply));
    },
    onClose: (connection) => {
      clearTimeout(visitors.get(connection)?.deadline);
      visitors.delete(connection);
    },
  });
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}/`;
}

function dismiss(visitors: Map<Connection, Visitor>, connection: Connection): void {
  clearTimeout(visitors.get(connection)?.deadline);
  visitors.delete(connection);
  connection.abort();
}

/** The whole reply, once the head of the request is complete. */
function replyTo(request: string, answer: Answer): string | undefined {
  if (!request.includes("\r\n\r\n")) {
    return request.length > MAX_REQUEST_BYTES ? written(failure(431)) : undefined;
  }
  const [, method, target] = /^([A-Z]+) (\S+) HTTP\/1\.[01]\r\n/.exec(request) ?? [];
  if (target === undefined) return written(failure(400));
  if (method !== "GET" && method !== "HEAD") return written(failure(405));
  return written(answer(target.split("?", 1)[0]!), method === "HEAD");
}

/** A status said in its own words. */
export function failure(status: Reply["status"]): Reply {
  const body = `${status} ${STATUS[status]}\n`;
  return { status, type: "text/plain; charset=utf-8", body };
}

function written({ status, type, body }: Reply, headOnly = false): string {
  return [
    `HTTP/1.1 ${status} ${STATUS[status]}`,
    `Content-Type: ${type}`,
    `Content-Length: ${encoder.encode(body).length}`,
    "Cache-Control: no-store",
    "Connection: close",
    ...(status === 405 ? ["Allow: GET, HEAD"] : []),
    ...SECURITY_HEADERS,
    "",
    headOnly ? "" : body,
  ].join("\r\n");
}
