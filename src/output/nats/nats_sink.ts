import { SinkRejection, TemporaryError } from "../../errors.ts";
import type { Outgoing } from "../../formats/format.ts";
import type { TlsFiles } from "../network/tls_settings.ts";
import type { Custody, Sink, Verdict } from "../sink.ts";
import type { Wait } from "../wait.ts";
import { JetStreamConnection } from "./jetstream_connection.ts";
import { MessageIds } from "./message_ids.ts";
import { MessageWindow, WINDOW_BYTES } from "./message_window.ts";
import type { NatsTarget } from "./nats_target.ts";
import type { PublishOutcome } from "./publish_reply.ts";

/** A message of many records is sent when it is so long, or its first one has waited so long. */
const BATCH_BYTES = 256 * 1024;
const BATCH_AGE_MS = 50;
/**
 * Only one message at a time under way keeps the order: when a stream changes its
 * leader, any of those under way may be lost, and be stored after later ones when it is
 * sent again. With a message a record that would be a thousand records a second.
 */
const BATCHES_UNDERWAY = 1;
const RECORDS_UNDERWAY = 1024;

/**
 * Publishes messages to a stream of NATS JetStream. What a message holds counts as out
 * when the stream has acknowledged it, and goes again under the same id until then, so
 * that the stream stores it once.
 */
export class NatsSink implements Sink, Custody {
  readonly #name: string;
  readonly custody = this;
  readonly #target: NatsTarget;
  readonly #tls: TlsFiles | undefined;
  readonly #window = new MessageWindow();
  readonly #ids = new MessageIds();
  readonly #maxUnderway: number;
  #connection: JetStreamConnection | undefined;
  #opening: Promise<void> | undefined;
  #failure: unknown;
  /** Settles when something has been heard. */
  #news: PromiseWithResolvers<void> | undefined;

  constructor(name: string, target: NatsTarget, tls: TlsFiles | undefined) {
    this.#name = name;
    this.#target = target;
    this.#tls = tls;
    this.#maxUnderway = target.messagePerRecord ? RECORDS_UNDERWAY : BATCHES_UNDERWAY;
  }

  takeVerdict(): Verdict | undefined {
    return this.#window.takeVerdict();
  }

  get settled(): boolean {
    return this.#window.isEmpty;
  }

  write(piece: Outgoing, from: number, wait: Wait): number {
    // Without a connection it is not known how long messages may be.
    const connection = this.#connected(wait);
    if (connection === undefined) return 0;
    const maxBytes = Math.min(connection.maxMessageBytes, WINDOW_BYTES);
    const taken = this.#target.messagePerRecord
      ? this.#takeRecord(piece, from, maxBytes)
      : this.#takeRecords(piece, from, maxBytes);
    this.#publish(connection, wait);
    return taken;
  }

  hurry(): void {
    this.#window.seal();
  }

  tend(wait: Wait): void {
    const connection = this.#connected(wait);
    if (connection === undefined) return;
    // Not while more of a batch is to come: where it is cut must not depend on the time.
    if (this.#dueMs <= performance.now()) this.#window.seal();
    this.#publish(connection, wait);
  }

  finish(): boolean {
    this.#connection?.close();
    return true;
  }

  /** A message of its own, without the newline, which is part of no message. */
  #takeRecord(piece: Outgoing, from: number, maxBytes: number): number {
    const end = piece.recordEnd(from);
    const goesOn = end === piece.length && piece.endsInside;
    if (this.#window.count === RECORDS_UNDERWAY) return 0;
    if (!this.#begin(piece, from, end, end - from, maxBytes)) return 0;
    this.#add(piece, end, piece.bytes.subarray(from, goesOn ? end : end - 1), goesOn);
    this.#window.seal();
    return end - from;
  }

  /** As many as fit into the message that is open, or else into a new one. */
  #takeRecords(piece: Outgoing, from: number, maxBytes: number): number {
    const batchBytes = Math.min(BATCH_BYTES, maxBytes);
    const { open } = this.#window;
    let end = open === undefined
      ? from
      : lastEnd(piece, from, from + open.limit - open.end);
    if (end === from) {
      end = lastEnd(piece, from, from + batchBytes);
      if (end === from) end = piece.recordEnd(from);
      const reserved = Math.max(batchBytes, end - from);
      if (!this.#begin(piece, from, end, reserved, maxBytes)) return 0;
    }
    this.#add(piece, end, piece.bytes.subarray(from, end), false);
    return end - from;
  }

  /** @param end where in the piece they end */
  #add(piece: Outgoing, end: number, bytes: Uint8Array, goesOn: boolean): void {
    const { span } = this.#window.open!;
    if (span.label === piece.label && span.run === piece.run) {
      span.toByte = byteAt(piece, end);
    }
    this.#window.add(bytes, goesOn);
  }

  /** False when there is no room. @throws SinkRejection for more than a message can be */
  #begin(
    piece: Outgoing,
    from: number,
    end: number,
    reserved: number,
    maxBytes: number,
  ): boolean {
    if (end - from > maxBytes) {
      // It holds nothing that comes after something it does not hold.
      this.#window.seal();
      throw new SinkRejection(
        `${this.#name} takes messages of up to ${maxBytes} bytes, and a record has ${
          end - from
        }`,
        end - from,
      );
    }
    const window = this.#window;
    if (!window.hasRoom(reserved)) {
      window.seal();
      return false;
    }
    const { run, label } = piece;
    const fromByte = byteAt(piece, from);
    window.begin({ run, label, fromByte, toByte: fromByte }, reserved, performance.now());
    return true;
  }

  /** The connection; undefined while it is being made. @throws TemporaryError */
  #connected(wait: Wait): JetStreamConnection | undefined {
    const { lost } = this.#connection ?? {};
    if (lost !== undefined) this.#lose(lost);
    else this.#checkSilence();
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure;
    if (this.#connection === undefined) wait.promise = this.#open();
    return this.#connection;
  }

  #open(): Promise<void> {
    this.#opening ??= JetStreamConnection.open(this.#name, this.#target, this.#tls, {
      onOutcome: (number, outcome) => this.#hear(number, outcome),
      onLost: () => this.#tell(),
    }).then(
      (connection) => {
        this.#connection = connection;
      },
      (error) => {
        this.#failure = error;
      },
    ).finally(() => this.#opening = undefined);
    return this.#opening;
  }

  /**
   * A stream that is slow, or has just changed its leader, may still acknowledge what is
   * sent again now; so the connection stays as long as its server answers.
   */
  #checkSilence(): void {
    const { timeoutMs } = this.#target;
    if (performance.now() - this.#window.oldestSentMs < timeoutMs) return;
    this.#window.rewind();
    this.#failure = new TemporaryError(
      `${this.#name} has not acknowledged a message for ${timeoutMs / 1000} s`,
    );
  }

  /** Nobody needs to hear of one that broke while nothing was under way. */
  #lose(why: string): void {
    const idle = this.#window.underway === 0;
    this.#fail(`lost the connection to ${this.#name}: ${why}`);
    if (idle) this.#failure = undefined;
  }

  /** Gives up the connection, and with it what it may still do; all else goes again. */
  #fail(why: string): void {
    this.#connection?.close();
    this.#connection = undefined;
    this.#window.rewind();
    this.#failure = new TemporaryError(why);
    this.#tell();
  }

  #hear(number: number, outcome: PublishOutcome): void {
    if ("again" in outcome) {
      this.#fail(`${this.#name}: ${outcome.again}`);
    } else {
      this.#window.decide(number, outcome);
      this.#tell();
    }
  }

  #tell(): void {
    this.#news?.resolve();
    this.#news = undefined;
  }

  /** When the open message is to be sent, whatever it holds. */
  get #dueMs(): number {
    return (this.#window.open?.sinceMs ?? Infinity) + BATCH_AGE_MS;
  }

  /** Of a message that was made for a server that took longer ones. */
  #tooLong({ maxMessageBytes }: JetStreamConnection, bytes: number): Verdict {
    return {
      rejected:
        `${this.#name} now takes messages of up to ${maxMessageBytes} bytes only, and one that was to be sent has ${bytes}`,
    };
  }

  /** Sends what is to be sent, and says when to ask again. */
  #publish(connection: JetStreamConnection, wait: Wait): void {
    const window = this.#window;
    const nowMs = performance.now();
    while (window.underway < this.#maxUnderway) {
      const message = window.unsent;
      if (message === undefined) break;
      const bytes = window.bytesOf(message);
      if (bytes.length > connection.maxMessageBytes) {
        window.decide(message.number, this.#tooLong(connection, bytes.length));
        // Whoever waits for room, or for a verdict, has it now.
        wait.until(nowMs);
        continue;
      }
      message.id ??= this.#ids.next(message.span);
      connection.publish(message, message.id, bytes);
      window.sent(message, nowMs);
    }
    if (window.open !== undefined) wait.until(this.#dueMs);
    if (window.underway > 0) {
      this.#news ??= Promise.withResolvers();
      wait.promise = this.#news.promise;
      wait.until(window.oldestSentMs + this.#target.timeoutMs);
    }
  }
}

/** Number of the byte of the input that comes first from byte `at` of the piece on. */
function byteAt(piece: Outgoing, at: number): number {
  return piece.firstByte + piece.progress(at).bytes;
}

/** The last place up to `limit` where a record has ended; `from` where none has. */
function lastEnd(piece: Outgoing, from: number, limit: number): number {
  return limit >= piece.length
    ? piece.length
    : Math.max(from, piece.recordStart(Math.max(from, limit)));
}
