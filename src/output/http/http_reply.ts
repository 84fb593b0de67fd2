/** Reading replies of HTTP/1.1: RFC 9112. */

import { TemporaryError } from "../../errors.ts";
import type { ServingConnection } from "../network/serving_connection.ts";
import { misunderstood, Received } from "./received.ts";

export interface HttpReply {
  readonly status: number;
  /** The server's word for the status. */
  readonly reason: string;
  /** By name in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
  /** False when there was more of the body than was to be read. */
  readonly bodyIsWhole: boolean;
  /** The connection can carry another request. */
  readonly reusable: boolean;
}

const MAX_HEADERS = 256;
/** Provisional replies before the one that counts. */
const MAX_PROVISIONAL = 16;
const NO_BODY = [204, 304];

/**
 * The next reply on a connection.
 *
 * @param maxBodyBytes the rest of a longer body is left unread
 * @throws TemporaryError when no reply comes, or none that can be understood.
 */
export async function readReply(
  connection: Pick<ServingConnection, "read">,
  maxBodyBytes: number,
): Promise<HttpReply> {
  const received = new Received(connection);
  for (let provisional = 0; provisional <= MAX_PROVISIONAL; provisional++) {
    const line = await received.line();
    const match = /^HTTP\/1\.([01]) (\d{3})(?: (.*))?$/.exec(line);
    if (match === null) throw misunderstood(`"${line}"`);
    const [, minor, digits, reason = ""] = match;
    const headers = await readHeaders(received);
    const status = Number(digits);
    if (status < 200) continue;
    const body = new Body(maxBodyBytes);
    const ended = await readBody(received, status, headers, body);
    return {
      status,
      reason,
      headers,
      body: body.bytes,
      bodyIsWhole: !body.isFull,
      // What comes after the reply would be taken for the next one.
      reusable: ended && received.isEmpty && persists(minor, headers),
    };
  }
  throw misunderstood("too many provisional replies");
}

function persists(minor: string | undefined, headers: HttpReply["headers"]): boolean {
  const options = headers.get("connection")?.toLowerCase().split(/\s*,\s*/) ?? [];
  return minor === "1" ? !options.includes("close") : options.includes("keep-alive");
}

async function readHeaders(received: Received): Promise<Map<string, string>> {
  const headers = new Map<string, string>();
  for (let count = 0; count <= MAX_HEADERS; count++) {
    const line = await received.line();
    if (line === "") return headers;
    const colon = line.indexOf(":");
    if (colon < 1) throw misunderstood(`a header "${line}"`);
    headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  throw misunderstood("too many headers");
}

/** True when the body has ended and the connection has not. */
async function readBody(
  received: Received,
  status: number,
  headers: HttpReply["headers"],
  body: Body,
): Promise<boolean> {
  if (NO_BODY.includes(status)) return true;
  if (headers.get("transfer-encoding")?.toLowerCase().endsWith("chunked")) {
    return await readChunks(received, body);
  }
  const length = headers.get("content-length");
  if (length === undefined) {
    await readToTheEnd(received, body);
    return false;
  }
  if (!/^\d{1,15}$/.test(length)) throw misunderstood(`a content-length of "${length}"`);
  await readExactly(received, Number(length), body);
  return !body.isFull;
}

/** True when the last chunk has come, and not only as many as the body takes. */
async function readChunks(received: Received, body: Body): Promise<boolean> {
  for (;;) {
    const line = await received.line();
    const size = /^[0-9a-f]{1,8}(?=[\s;]|$)/i.exec(line)?.[0];
    if (size === undefined) throw misunderstood(`a chunk size of "${line}"`);
    const length = parseInt(size, 16);
    if (length === 0) break;
    await readExactly(received, length, body);
    if (body.isFull) return false;
    if (await received.line() !== "") throw misunderstood("a chunk without an end");
  }
  // Trailers look like headers, and say nothing of interest.
  await readHeaders(received);
  return true;
}

async function readExactly(
  received: Received,
  length: number,
  body: Body,
): Promise<void> {
  for (let left = length; left > 0 && !body.isFull;) {
    const bytes = await received.some(left);
    if (bytes === undefined) throw misunderstood("the end of the connection");
    body.add(bytes);
    left -= bytes.length;
  }
}

/**
 * Of a server that does not say how long its reply is. However it ends, the status has
 * come: many servers leave out the end that TLS asks for, and sent the same again they
 * would do so again.
 */
async function readToTheEnd(received: Received, body: Body): Promise<void> {
  while (!body.isFull) {
    const bytes = await received.some(Infinity).catch(nothingWhereItBroke);
    if (bytes === undefined) return;
    body.add(bytes);
  }
}

function nothingWhereItBroke(error: unknown): undefined {
  if (!(error instanceof TemporaryError)) throw error;
}

/** The beginning of a body, and whether there was more than that. */
class Body {
  readonly #maxBytes: number;
  #buffer = new Uint8Array(1024);
  #length = 0;
  #isFull = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get isFull(): boolean {
    return this.#isFull;
  }

  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  add(bytes: Uint8Array): void {
    const length = Math.min(this.#maxBytes, this.#length + bytes.length);
    if (length > this.#buffer.length) this.#grow(length);
    this.#buffer.set(bytes.subarray(0, length - this.#length), this.#length);
    this.#isFull = this.#length + bytes.length > this.#maxBytes;
    this.#length = length;
  }

  #grow(length: number): void {
    const buffer = new Uint8Array(
      Math.min(this.#maxBytes, Math.max(length, 2 * this.#buffer.length)),
    );
    buffer.set(this.bytes);
    this.#buffer = buffer;
  }
}
