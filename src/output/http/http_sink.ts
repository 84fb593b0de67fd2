import { TemporaryError } from "../../errors.ts";
import type { DocumentShape } from "../../formats/document.ts";
import { goesOn, type Outgoing } from "../../formats/format.ts";
import type { Custody, Sink, Verdict } from "../sink.ts";
import type { Wait } from "../wait.ts";
import { type BatchPart, HttpBatch } from "./http_batch.ts";
import { HttpClient, type HttpTarget } from "./http_client.ts";
import type { HttpReply } from "./http_reply.ts";
import type { ReplyKind } from "./reply_kinds.ts";

/** Where requests go, and what is in them and in the answers. */
interface BatchTarget extends HttpTarget {
  /** How the server answers. */
  readonly replies: ReplyKind;
  /** Of a body that is one document. */
  readonly shape: DocumentShape | undefined;
}

/** Records that share a verdict where the server does not look at each. */
const UNIT_BYTES = 16 * 1024;
const PAYLOAD_TOO_LARGE = 413;
/** After so many requests that were short enough for a server, longer ones are tried. */
const LONGER_AFTER = 64;
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
  readonly #replies: ReplyKind;
  readonly #client: HttpClient;
  readonly #batch: HttpBatch;
  readonly #run = crypto.randomUUID();
  /** Requests that were answered; part of the key of the next. */
  #answers = 0;
  /** Inputs whose last unit ended inside a line. */
  readonly #openLines = new Set<string>();
  #posting: Promise<void> | undefined;
  #failure: unknown;
  /** Of records in a request: the server has refused longer ones. */
  #maxPartBytes = Infinity;
  /** Requests that it has not refused for their length since then. */
  #shortEnough = 0;

  constructor(name: string, target: BatchTarget) {
    this.#name = name;
    this.#replies = target.replies;
    this.#client = new HttpClient(
      name,
      target,
      target.replies.ofRecords ? MAX_RECORDS_REPLY_BYTES : MAX_REPLY_BYTES,
    );
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
    if (this.#replies.ofRecords) return piece.recordEnd(from);
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
      const part = this.#batch.nextPart(this.#maxPartBytes);
      if (part === undefined) return;
      const key = `${this.#run}-${this.#answers}`;
      this.#decide(part, await this.#client.post(part.body, key));
    }
  }

  /** @throws TemporaryError when it is to be tried again. */
  #decide({ units, recordBytes }: BatchPart, reply: HttpReply): void {
    const { status } = reply;
    if (this.#replies.isTemporary(status)) {
      throw new TemporaryError(this.#answered(reply), retryAfterMs(reply));
    }
    if (status >= 300 && status < 400) {
      // Its query repeats the one that was sent, or is a key of the server's own.
      const [place] = (reply.headers.get("location") ?? "elsewhere").split("?", 1);
      const location = this.#client.words(place!);
      throw new TemporaryError(
        `${this.#name} answered ${status} and points to ${location}; name that instead`,
      );
    }
    this.#answers++;
    if (status !== PAYLOAD_TOO_LARGE) {
      if (++this.#shortEnough % LONGER_AFTER === 0) this.#maxPartBytes *= 2;
    } else if (units.length > 1 || units[0]?.inputBytes !== undefined) {
      // Of the records, not of the body: what is around them may be as long as they are,
      // and all of them would fit into half of it.
      this.#maxPartBytes = Math.floor(recordBytes / 2);
      this.#shortEnough = 0;
      return;
    }
    this.#decideEach(units, reply);
  }

  #decideEach(units: BatchPart["units"], reply: HttpReply): void {
    const verdicts = this.#replies.verdicts({
      status: reply.status,
      body: textOf(reply),
      records: units.length,
      answered: this.#answered(reply),
      words: (text) => this.#client.words(text),
    });
    // Where nobody says which, lines come before what is said of other lines.
    const order = this.#replies.saysWhich ? units : markersLast(units);
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
    const said = [reason, textOf(reply)].filter((text) => text.trim() !== "").join(": ");
    return `${this.#name} answered ${status} ${this.#client.words(said)}`.trimEnd();
  }

  finish(): boolean {
    this.#client.close();
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
