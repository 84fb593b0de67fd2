import { TemporaryError } from "../../errors.ts";
import { gzip } from "../../runtime/on_demand.ts";
import { ServingConnection } from "../network/serving_connection.ts";
import type { TlsFiles } from "../network/tls_settings.ts";
import { serverWords } from "../server_words.ts";
import { type CredentialFile, readCredentials } from "./authorization.ts";
import { type Headers, readHeaderFile } from "./header_file.ts";
import { exchange } from "./http_exchange.ts";
import type { HttpReply } from "./http_reply.ts";
import { secretsInQuery } from "./query_secrets.ts";

/** What a request is made of. */
export interface HttpTarget {
  readonly host: string;
  readonly port: number;
  /** The value of the header Host. */
  readonly authority: string;
  /** Path and query. */
  readonly path: string;
  readonly contentType: string;
  readonly gzip: boolean;
  readonly credentials: CredentialFile | undefined;
  /** The path of a file of more headers. */
  readonly headers: string | undefined;
  readonly timeoutMs: number;
  /** Undefined without TLS. */
  readonly tls: TlsFiles | undefined;
}

const TEMPORARY_REDIRECT = 307;
const PERMANENT_REDIRECT = 308;
const MAX_REDIRECTS = 5;
/** Not found, no such method, gone: it is not a place to post to. */
const GONE = [404, 405, 410];

/**
 * Posts to one server, a request at a time, over a connection that is kept. Only on the
 * thread of its output loop.
 */
export class HttpClient {
  readonly #name: string;
  readonly #target: HttpTarget;
  readonly #maxReplyBytes: number;
  #connection: ServingConnection | undefined;
  /** Where to post: the server may have another place for it. */
  #path: string;
  /** What was sent as credentials or may be some, and must not appear in a message. */
  #secrets: readonly string[] = [];

  /**
   * @param name how messages call the server
   * @param maxReplyBytes what is read of a reply's body
   */
  constructor(name: string, target: HttpTarget, maxReplyBytes: number) {
    this.#name = name;
    this.#target = target;
    this.#maxReplyBytes = maxReplyBytes;
    this.#path = target.path;
  }

  /** What the server has said, fit for a message. */
  words(text: string): string {
    return serverWords(text, this.#secrets);
  }

  /**
   * The reply, from where the server points to.
   *
   * @param key the same whenever the same is sent again
   * @throws TemporaryError when none comes.
   */
  async post(body: Uint8Array, key: string): Promise<HttpReply> {
    const sent = this.#target.gzip ? gzip(body) : body;
    let path = this.#path;
    for (let redirects = 0;; redirects++) {
      const reply = await this.#postTo(path, sent, key);
      const next = redirects < MAX_REDIRECTS ? this.#next(path, reply) : undefined;
      if (next === undefined) return reply;
      if (reply.status === PERMANENT_REDIRECT) this.#path = next;
      path = next;
    }
  }

  /** Where the request is to go now, if anywhere. */
  #next(path: string, reply: HttpReply): string | undefined {
    const { path: first } = this.#target;
    if (!GONE.includes(reply.status)) return this.#pointedTo(path, reply);
    // The server may have pointed to that a long time ago, and have another place by now.
    if (path !== this.#path || path === first) return undefined;
    this.#path = first;
    return first;
  }

  /** Where the same request is to go on the same server; elsewhere nothing is sent. */
  #pointedTo(path: string, { status, headers }: HttpReply): string | undefined {
    const location = headers.get("location");
    const isRedirect = status === TEMPORARY_REDIRECT || status === PERMANENT_REDIRECT;
    if (!isRedirect || location === undefined) return undefined;
    const { authority, tls } = this.#target;
    const from = `${tls === undefined ? "http" : "https"}://${authority}${path}`;
    if (!URL.canParse(location, from)) return undefined;
    const to = new URL(location, from);
    return to.origin === new URL(from).origin ? to.pathname + to.search : undefined;
  }

  async #postTo(path: string, sent: Uint8Array, key: string): Promise<HttpReply> {
    const credentials = readCredentials(this.#target.credentials);
    const headers = readHeaderFile(this.#target.headers);
    this.#secrets = [
      ...credentials?.secrets ?? [],
      ...headers.secrets,
      // The server may have led here from the first of them.
      ...[this.#target.path, path].flatMap(secretsInQuery),
    ];
    if (credentials !== undefined && headers.names.has("authorization")) {
      throw new TemporaryError(
        `"${this.#target.headers}" holds an Authorization, and so do the credentials; leave out one`,
      );
    }
    const head = this.#head(path, headers, [
      `Content-Length: ${sent.length}`,
      ...(this.#target.gzip ? ["Content-Encoding: gzip"] : []),
      `Idempotency-Key: ${key}`,
      ...(credentials === undefined ? [] : [`Authorization: ${credentials.header}`]),
    ]);
    const kept = await this.#keptConnection();
    if (kept !== undefined) {
      try {
        return await this.#exchange(kept, head, sent);
      } catch (error) {
        // Servers close connections that they have not heard of for a while, and may
        // do so at this very moment. A new one will tell whether that was all.
        if (!(error instanceof TemporaryError) || kept.isLate) throw error;
      }
    }
    const { tls, timeoutMs } = this.#target;
    const connection = await ServingConnection.open(
      this.#name,
      this.#target,
      tls,
      timeoutMs,
    );
    return await this.#exchange(connection, head, sent);
  }

  /** @param more what depends on the request */
  #head(path: string, given: Headers, more: readonly string[]): string {
    const { authority, contentType } = this.#target;
    const unlessGiven = (name: string, value: string) =>
      given.names.has(name.toLowerCase()) ? [] : [`${name}: ${value}`];
    return [
      `POST ${path} HTTP/1.1`,
      `Host: ${authority}`,
      ...unlessGiven("User-Agent", "spillway"),
      ...unlessGiven("Content-Type", contentType),
      ...more,
      ...given.lines,
      "\r\n",
    ].join("\r\n");
  }

  /**
   * The connection of the last request, unless it is known to be closed by now. Nor where
   * the server has said something unasked, which is no answer to what comes next.
   */
  async #keptConnection(): Promise<ServingConnection | undefined> {
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection === undefined) return undefined;
    await connection.hearNews();
    if (connection.failure === undefined && !connection.hasUnread) return connection;
    connection.close();
    return undefined;
  }

  async #exchange(
    connection: ServingConnection,
    head: string,
    body: Uint8Array,
  ): Promise<HttpReply> {
    let reusable = false;
    try {
      const reply = await exchange(connection, head, body, this.#maxReplyBytes);
      reusable = reply.reusable;
      return reply;
    } catch (error) {
      // It may say what the server has sent, which may be what it was sent.
      if (!(error instanceof TemporaryError)) throw error;
      throw new TemporaryError(this.words(error.message));
    } finally {
      if (reusable) this.#connection = connection;
      else connection.close();
    }
  }

  close(): void {
    this.#connection?.close();
  }
}
