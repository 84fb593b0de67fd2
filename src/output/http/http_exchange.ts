/**
 * One request and its reply over a connection: the part of HTTP/1.1 (RFC 9112) that
 * posting batches takes. `node:http` does not keep connections alive in every runtime
 * that this program runs on.
 */

import { SinkFailure } from "../../errors.ts";
import type { ServingConnection } from "../network/serving_connection.ts";

export interface HttpReply {
  readonly status: number;
  /** The server's word for the status. */
  readonly reason: string;
  /** By name in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
  /** The connection can carry another request. */
  readonly reusable: boolean;
}

const MAX_LINE_BYTES = 16 * 1024;
const MAX_HEADERS = 256;
/** A bulk reply has some hundred bytes for each document. */
const MAX_BODY_BYTES = 8 * 1024 * 1024;
/** Provisional replies before the one that counts. */
const MAX_PROVISIONAL = 16;
const NO_BODY = [204, 304];
const NEWLINE = 10;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** @throws SinkFailure when no reply comes, or none that can be understood. */
export async function exchange(
  connection: ServingConnection,
  head: string,
  body: Uint8Array,
): Promise<HttpReply> {
  // A server may refuse what it has not read to the end: then its reply says why, and
  // what has become of the request does not matter.
  const sent = connection.write(concat([encoder.encode(head), body]))
    .then(() => true, () => false);
  const reply = await new ReplyReader(connection).read();
  return { ...reply, reusable: reply.reusable && await sent };
}

/** Reads one reply from a connection. */
class ReplyReader {
  readonly #connection: ServingConnection;
  #bytes: Uint8Array = new Uint8Array();

  constructor(connection: ServingConnection) {
    this.#connection = connection;
  }

  async read(): Promise<HttpReply> {
    for (let provisional = 0; provisional <= MAX_PROVISIONAL; provisional++) {
      const line = await this.#line();
      const match = /^HTTP\/1\.([01]) (\d{3})(?: (.*))?$/.exec(line);
      if (match === null) throw misunderstood(`"${line}"`);
      const [, minor, digits, reason = ""] = match;
      const headers = await this.#headers();
      const status = Number(digits);
      if (status < 200) continue;
      const { body, toTheEnd } = await this.#body(status, headers);
      const options = headers.get("connection")?.toLowerCase() ?? "";
      const persists = minor === "1" ? options !== "close" : options === "keep-alive";
      return { status, reason, headers, body, reusable: persists && !toTheEnd };
    }
    throw misunderstood("too many provisional replies");
  }

  async #headers(): Promise<Map<string, string>> {
    const headers = new Map<string, string>();
    for (let count = 0; count <= MAX_HEADERS; count++) {
      const line = await this.#line();
      if (line === "") return headers;
      const colon = line.indexOf(":");
      headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
    }
    throw misunderstood("too many headers");
  }

  async #body(
    status: number,
    headers: ReadonlyMap<string, string>,
  ): Promise<{ body: string; toTheEnd: boolean }> {
    if (NO_BODY.includes(status)) return { body: "", toTheEnd: false };
    if (headers.get("transfer-encoding")?.toLowerCase().endsWith("chunked")) {
      return { body: await this.#chunks(), toTheEnd: false };
    }
    const length = headers.get("content-length");
    if (length !== undefined) {
      if (!/^\d+$/.test(length)) throw misunderstood(`a content-length of "${length}"`);
      const bytes = await this.#exactly(Number(length));
      return { body: decoder.decode(bytes), toTheEnd: false };
    }
    while (await this.#more());
    return { body: decoder.decode(this.#bytes), toTheEnd: true };
  }

  async #chunks(): Promise<string> {
    const chunks: Uint8Array[] = [];
    let total = 0;
    for (;;) {
      const line = await this.#line();
      const size = /^[0-9a-f]{1,8}/i.exec(line)?.[0];
      if (size === undefined) throw misunderstood(`a chunk size of "${line}"`);
      const length = parseInt(size, 16);
      if (length === 0) break;
      total += length;
      if (total > MAX_BODY_BYTES) throw misunderstood("a body without an end");
      chunks.push(await this.#exactly(length));
      await this.#line();
    }
    // Trailers look like headers, and say nothing of interest.
    await this.#headers();
    return decoder.decode(concat(chunks));
  }

  async #line(): Promise<string> {
    for (;;) {
      const end = this.#bytes.indexOf(NEWLINE);
      if (end >= 0) {
        const line = decoder.decode(this.#bytes.subarray(0, end));
        this.#bytes = this.#bytes.subarray(end + 1);
        return line.replace(/\r$/, "");
      }
      if (this.#bytes.length > MAX_LINE_BYTES) {
        throw misunderstood("a line without an end");
      }
      if (!await this.#more()) throw misunderstood("the end of the connection");
    }
  }

  async #exactly(length: number): Promise<Uint8Array> {
    if (length > MAX_BODY_BYTES) throw misunderstood(`a body of ${length} bytes`);
    while (this.#bytes.length < length) {
      if (!await this.#more()) throw misunderstood("the end of the connection");
    }
    const bytes = this.#bytes.subarray(0, length);
    this.#bytes = this.#bytes.subarray(length);
    return bytes;
  }

  async #more(): Promise<boolean> {
    const bytes = await this.#connection.read();
    if (bytes === undefined) return false;
    if (this.#bytes.length > MAX_BODY_BYTES) throw misunderstood("a body without an end");
    this.#bytes = concat([this.#bytes, bytes]);
    return true;
  }
}

function misunderstood(what: string): SinkFailure {
  return new SinkFailure(`the server's reply cannot be understood: found ${what}`);
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
