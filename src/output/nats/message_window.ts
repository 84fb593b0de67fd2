import type { Verdict } from "../sink.ts";

/** All messages together, and so the longest one there can be. */
export const WINDOW_BYTES = 1024 * 1024;

/** Which bytes of an input a message holds. */
export interface MessageSpan {
  readonly run: string;
  readonly label: string;
  /** Numbers of the first, and of the one after the last; see `Outgoing`. */
  readonly fromByte: number;
  toByte: number;
}

/** Records that go to a stream together, until it is known what has become of them. */
export interface Message {
  /** Counts up from 0; the reply names it. */
  readonly number: number;
  /** What it begins with; there may be more of other inputs. */
  readonly span: MessageSpan;
  /** Stays the same whenever it is sent; undefined before it is for the first time. */
  id: string | undefined;
  /** Offsets in the window's memory. */
  readonly start: number;
  end: number;
  /** Up to where it may grow. */
  readonly limit: number;
  /** Its last line goes on in the next message. */
  goesOn: boolean;
  readonly sinceMs: number;
  /** When it was sent last; undefined where it is to be. Clocks are `performance.now`. */
  sentMs: number | undefined;
  /** How many writes it holds, and how many of them have got the verdict. */
  writes: number;
  told: number;
  verdict: Verdict | undefined;
}

/**
 * Messages in the order in which they were written, from their first byte until every
 * write in them has got its verdict. Their bytes are in one ring of memory,
 * each message in one piece; the last one may be open for more. It knows nothing of
 * connections.
 */
export class MessageWindow {
  readonly #bytes = new Uint8Array(WINDOW_BYTES);
  #messages: Message[] = [];
  /** Number of the message that comes next. */
  #next = 0;
  #open = false;
  /** Before this index nothing is to be sent. */
  #unsentAt = 0;
  #underway = 0;

  get isEmpty(): boolean {
    return this.#messages.length === 0;
  }

  get count(): number {
    return this.#messages.length;
  }

  /** Messages that were sent and have no verdict yet. */
  get underway(): number {
    return this.#underway;
  }

  /** The last message, where more can be added to it. */
  get open(): Message | undefined {
    return this.#open ? this.#messages.at(-1) : undefined;
  }

  /** A message that may grow to so many bytes can be begun. */
  hasRoom(reservedBytes: number): boolean {
    return this.#place(reservedBytes) !== undefined;
  }

  /** Begins a message, empty and open; there must be room. The one before is sealed. */
  begin(span: MessageSpan, reservedBytes: number, nowMs: number): void {
    const start = this.#place(reservedBytes)!;
    this.#messages.push({
      number: this.#next++,
      span,
      id: undefined,
      start,
      end: start,
      limit: start + reservedBytes,
      goesOn: false,
      sinceMs: nowMs,
      sentMs: undefined,
      writes: 0,
      told: 0,
      verdict: undefined,
    });
    this.#open = true;
  }

  /**
   * Where so many bytes are free in one piece. A byte is left between messages, so that
   * those without any have a place of their own, and full does not look like empty.
   */
  #place(length: number): number | undefined {
    const head = this.#messages[0]?.start;
    const last = this.#messages.at(-1)?.end;
    if (head === undefined || last === undefined) {
      return length <= WINDOW_BYTES ? 0 : undefined;
    }
    const tail = last + 1;
    if (tail <= head) return head - tail > length ? tail : undefined;
    if (WINDOW_BYTES - tail >= length) return tail;
    return head > length ? 0 : undefined;
  }

  /** Adds a write to the open message. @param goesOn inside a line */
  add(bytes: Uint8Array, goesOn: boolean): void {
    const message = this.open!;
    this.#bytes.set(bytes, message.end);
    message.end += bytes.length;
    message.goesOn = goesOn;
    message.writes++;
  }

  /** Nothing is added to a message from now on, so that what is sent twice is the same. */
  seal(): void {
    this.#open = false;
  }

  /** The oldest sealed message that is to be sent. */
  get unsent(): Message | undefined {
    for (
      const end = this.#messages.length - (this.#open ? 1 : 0);
      this.#unsentAt < end;
    ) {
      const message = this.#messages[this.#unsentAt]!;
      if (message.sentMs === undefined && message.verdict === undefined) return message;
      this.#unsentAt++;
    }
    return undefined;
  }

  /** Good until its verdict is known. */
  bytesOf({ start, end }: Message): Uint8Array {
    return this.#bytes.subarray(start, end);
  }

  sent(message: Message, nowMs: number): void {
    message.sentMs = nowMs;
    this.#underway++;
  }

  /** When the oldest message that is under way was sent; Infinity where none is. */
  get oldestSentMs(): number {
    if (this.#underway === 0) return Infinity;
    const oldest = this.#messages.find(({ sentMs, verdict }) =>
      sentMs !== undefined && verdict === undefined
    );
    return oldest?.sentMs ?? Infinity;
  }

  /** Keeps a verdict; the first that comes counts, whenever that message was sent. */
  decide(number: number, verdict: Verdict): void {
    const message = this.find(number);
    if (message === undefined || message.verdict !== undefined) return;
    if (message.sentMs !== undefined) this.#underway--;
    message.verdict = verdict;
  }

  /** Undefined for one that has got its verdict. */
  find(number: number): Message | undefined {
    return this.#messages[number - (this.#messages[0]?.number ?? 0)];
  }

  /** What has no verdict is to be sent again, in the same order. */
  rewind(): void {
    for (const message of this.#messages) message.sentMs = undefined;
    this.#unsentAt = this.#underway = 0;
  }

  /** The next verdict in the order of the writes. */
  takeVerdict(): Verdict | undefined {
    const message = this.#messages[0];
    if (message?.verdict === undefined) return undefined;
    const { verdict } = message;
    message.told++;
    if (message.told === message.writes) {
      this.#messages.shift();
      this.#unsentAt = Math.max(0, this.#unsentAt - 1);
    }
    return verdict;
  }
}
