import { TemporaryError } from "../../errors.ts";
import type { DocumentShape } from "../../formats/document.ts";
import { goesOn, type Outgoing } from "../../formats/format.ts";
import { gzip } from "../../runtime/on_demand.ts";
import { ServingConnection } from "../network/serving_connection.ts";
import type { TlsFiles } from "../network/tls_settings.ts";
import type { Custody, Sink, Verdict } from "../sink.ts";
import type { Wait } from "../wait.ts";
import { type CredentialFile, readCredentials } from "./authorization.ts";
import { type Headers, readHeaderFile } from "./header_file.ts";
import { type BatchPart, HttpBatch } from "./http_batch.ts";
import { exchange } from "./http_exchange.ts";
import type { HttpReply } from "./http_reply.ts";
import type { ReplyKind } from "./reply_kinds.ts";
import { serverWords } from "../server_words.ts";

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
  /** How the server answers. */
  readonly replies: ReplyKind;
  /** Of a body that is one document. */
  readonly shape: DocumentShape | undefined;
}

/** Records that share a verdict where the server does not look at each. */
const UNIT_BYTES = 16 * 1024;
const PAYLOAD_TOO_LARGE = 413;
const TEMPORARY_REDIRECT = 307;
const PERMANENT_REDIRECT = 308;
const MAX_REDIRECTS = 5;
/** What is read of a reply: enough to see what it says, and where it ends. */
const MAX_REPLY_BYTES = 64 * 1024;
/** The same where it speaks of single records: some hundred bytes for each of thousands. */
const MAX_RECORDS_REPLY_BYTES = 16 * 1024 * 1024;
/** What is shown of one that is longer. */
const SHOWN_BYTES = 4096;
/** No server is waited for longer than that. */
const MAX_RETRY_AFTER_MS = 300_000;

/**
 * Posts batches, one after the other over a connection that is kept. A batch counts
 * as out when the server has said so, and goes again with the same Idempotency-Key
 * until it has said something.
 */
export class HttpSink implements Sink, Custody {
  readonly #name: string;
  readonly custody = this;
  readonly #target: HttpTarget;
  readonly #batch: HttpBatch;
  readonly #run = crypto.randomUUID();
  /** Requests that were answered; part of the key of the next. */
  #answers = 0;
  /** Inputs whose last unit ended inside a line. */
  readonly #openLines = new Set<string>();
  #posting: Promise<void> | undefined;
  #failure: unknown;
  /** The server has refused longer requests. */
  #maxRequestBytes = Infinity;
  #connection: ServingConnection | undefined;
  /** Where to post: the server may have another place for it. */
  #path: string;
  /** What was sent as credentials, and must not appear in a message. */
  #secrets: readonly string[] = [];

  constructor(name: string, target: HttpTarget) {
    this.#name = name;
    this.#target = target;
    this.#path = target.path;
    this.#batch = new HttpBatch(target.shape);
  }

  takeVerdict(): Verdict | undefined {
    return this.#batch.takeVerdict();
  }

  get settled(): boolean {
    return this.#batch.isEmpty;
  }

  write(piece: Outgoing, from: number, wait: Wait): number {
    this.#throwFailure();
    const { end, inputBytes } = this.#nextUnit(piece, from);
    if (this.#posting === undefined && this.#batch.fits(end - from)) {
      this.#add(piece, from, end, inputBytes);
      return end - from;
    }
    wait.promise = this.#post();
    return 0;
  }

  #add(piece: Outgoing, from: number, end: number, inputBytes?: Uint32Array): void {
    const { label } = piece;
    const startsInside = this.#openLines.has(label);
    if (goesOn(piece, end)) this.#openLines.add(label);
    else this.#openLines.delete(label);
    const inputFrom = piece.progress(from).bytes;
    const isMarker = piece.progress(end).bytes === inputFrom;
    this.#batch.add(piece.bytes.subarray(from, end), performance.now(), {
      label,
      startsInside,
      isMarker,
      inputBytes,
    });
  }

  /**
   * Several records only where each is a line, so that each can be counted for itself
   * if that comes to be needed.
   */
  #nextUnit(piece: Outgoing, from: number): { end: number; inputBytes?: Uint32Array } {
    const end = this.#unitEnd(piece, from);
    const recordEnd = piece.recordEnd(from);
    // What is left of a line may have to go where its beginning goes.
    if (end === recordEnd || this.#openLines.has(piece.label)) return { end: recordEnd };
    const inputBytes = piece.inputBytes?.(from, end) ?? lineLengths(piece, from, end);
    const linesBefore = piece.progress(from).lines;
    const lines = piece.progress(end).lines - linesBefore;
    return lines === inputBytes.length ? { end, inputBytes } : { end: recordEnd };
  }

  #unitEnd(piece: Outgoing, from: number): number {
    if (this.#target.replies.ofRecords) return piece.recordEnd(from);
    const limit = from + UNIT_BYTES;
    if (limit >= piece.length) return piece.length;
    const boundary = piece.recordStart(limit);
    return boundary > from ? boundary : piece.recordEnd(from);
  }

  hurry(): void {
    if (!this.#batch.isEmpty) this.#batch.seal();
  }

  tend(wait: Wait): void {
    this.#throwFailure();
    if (this.#posting !== undefined || this.#batch.dueMs <= performance.now()) {
      wait.promise = this.#post();
    } else {
      wait.until(this.#batch.dueMs);
    }
  }

  /** Begins to post the batch, if that has not begun; settles when it has gone or failed. */
  #post(): Promise<void> {
    this.#posting ??= this.#postBatch().catch((error: unknown) => {
      this.#failure = error;
    }).finally(() => this.#posting = undefined);
    return this.#posting;
  }

  /** What was wrong with the last attempt to post, once. */
  #throwFailure(): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure;
  }

  /** Until every unit has its verdict. @throws TemporaryError */
  async #postBatch(): Promise<void> {
    this.#batch.seal();
    for (;;) {
      const part = this.#batch.nextPart(this.#maxRequestBytes);
      if (part === undefined) return;
      this.#decide(part, await this.#request(part.body));
    }
  }

  /** @throws TemporaryError when it is to be tried again. */
  #decide({ body, units }: BatchPart, reply: HttpReply): void {
    const { status } = reply;
    if (this.#target.replies.isTemporary(status)) {
      throw new TemporaryError(this.#answered(reply), retryAfterMs(reply));
    }
    if (status >= 300 && status < 400) {
      const location = this.#words(reply.headers.get("location") ?? "elsewhere");
      throw new TemporaryError(
        `${this.#name} answered ${status} and points to ${location}; name that instead`,
      );
    }
    this.#answers++;
    const isDivisible = units.length > 1 || units[0]?.inputBytes !== undefined;
    if (status === PAYLOAD_TOO_LARGE && isDivisible) {
      this.#maxRequestBytes = Math.floor(body.length / 2);
      return;
    }
    this.#decideEach(units, reply);
  }

  #decideEach(units: BatchPart["units"], reply: HttpReply): void {
    const verdicts = this.#target.replies.verdicts({
      status: reply.status,
      body: textOf(reply),
      records: units.length,
      answered: this.#answered(reply),
      words: (text) => this.#words(text),
    });
    // Where nobody says which, lines come before what is said of other lines.
    const order = this.#target.replies.saysWhich ? units : markersLast(units);
    order.forEach((unit, index) => unit.verdict = verdicts[index]);
    const left = verdicts.filter((verdict) => verdict === undefined).length;
    if (left === 0) return;
    throw new TemporaryError(
      `${this.#name} has no room for ${left} of ${units.length} documents now`,
      retryAfterMs(reply),
    );
  }

  #answered(reply: HttpReply): string {
    const { status, reason } = reply;
    return `${this.#name} answered ${status} ${
      this.#words(`${reason}: ${textOf(reply)}`)
    }`;
  }

  #words(text: string): string {
    return serverWords(text, this.#secrets);
  }

  /** The reply, from where the server points to. @throws TemporaryError when none comes. */
  async #request(body: Uint8Array): Promise<HttpReply> {
    const sent = this.#target.gzip ? gzip(body) : body;
    let path = this.#path;
    for (let redirects = 0;; redirects++) {
      const reply = await this.#requestAt(path, sent);
      const next = redirects < MAX_REDIRECTS ? this.#pointedTo(path, reply) : undefined;
      if (next === undefined) return reply;
      if (reply.status === PERMANENT_REDIRECT) this.#path = next;
      path = next;
    }
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

  async #requestAt(path: string, sent: Uint8Array): Promise<HttpReply> {
    const credentials = readCredentials(this.#target.credentials);
    const headers = readHeaderFile(this.#target.headers);
    this.#secrets = [...credentials?.secrets ?? [], ...headers.secrets];
    if (credentials !== undefined && headers.names.has("authorization")) {
      throw new TemporaryError(
        `"${this.#target.headers}" holds an Authorization, and so do the credentials; leave out one`,
      );
    }
    const head = this.#head(path, sent.length, credentials?.header, headers);
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

  #head(
    path: string,
    length: number,
    authorization: string | undefined,
    more: Headers,
  ): string {
    const { authority, contentType, gzip } = this.#target;
    const unlessGiven = (name: string, value: string) =>
      more.names.has(name.toLowerCase()) ? [] : [`${name}: ${value}`];
    return [
      `POST ${path} HTTP/1.1`,
      `Host: ${authority}`,
      ...unlessGiven("User-Agent", "spillway"),
      ...unlessGiven("Content-Type", contentType),
      `Content-Length: ${length}`,
      ...(gzip ? ["Content-Encoding: gzip"] : []),
      `Idempotency-Key: ${this.#run}-${this.#answers}`,
      ...(authorization === undefined ? [] : [`Authorization: ${authorization}`]),
      ...more.lines,
      "\r\n",
    ].join("\r\n");
  }

  /** The connection of the last request, unless it is known to be closed by now. */
  async #keptConnection(): Promise<ServingConnection | undefined> {
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection === undefined) return undefined;
    await connection.hearNews();
    if (connection.failure === undefined) return connection;
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
      const maxReplyBytes = this.#target.replies.ofRecords
        ? MAX_RECORDS_REPLY_BYTES
        : MAX_REPLY_BYTES;
      const reply = await exchange(connection, head, body, maxReplyBytes);
      reusable = reply.reusable;
      return reply;
    } catch (error) {
      // It may say what the server has sent, which may be what it was sent.
      if (!(error instanceof TemporaryError)) throw error;
      throw new TemporaryError(this.#words(error.message));
    } finally {
      if (reusable) this.#connection = connection;
      else connection.close();
    }
  }

  finish(): boolean {
    this.#connection?.close();
    return true;
  }
}

/** Of records that are the input's own bytes. */
function lineLengths(piece: Outgoing, from: number, to: number): Uint32Array {
  const lengths: number[] = [];
  for (let at = from; at < to;) {
    const end = piece.recordEnd(at);
    lengths.push(end - at);
    at = end;
  }
  return Uint32Array.from(lengths);
}

/** The body; of one that was too long only the beginning, which is not a bulk reply. */
function textOf({ body, bodyIsWhole }: HttpReply): string {
  return new TextDecoder().decode(bodyIsWhole ? body : body.subarray(0, SHOWN_BYTES));
}

function markersLast(units: BatchPart["units"]): BatchPart["units"] {
  return [
    ...units.filter(({ isMarker }) => !isMarker),
    ...units.filter(({ isMarker }) => isMarker),
  ];
}

/** RFC 9110: seconds, or a date. */
function retryAfterMs({ headers }: HttpReply): number {
  const text = headers.get("retry-after");
  if (text === undefined) return 0;
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Math.min(MAX_RETRY_AFTER_MS, Math.max(0, ms || 0));
}
