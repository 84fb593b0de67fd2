/** A server that talks enough of NATS to be found, and else says what a test wants. */

const encoder = new TextEncoder();
const decoder = new TextDecoder("latin1");

/** One connection, as the server sees it. */
export interface NatsPeer {
  /** Which one it is, from 0. */
  readonly number: number;
  /** What is asked of JetStream, or a message; the reply goes to `inbox`. */
  readonly subject: string;
  readonly inbox: string;
  /** Of the payload, without the headers. */
  readonly length: number;
  /** @param more protocol that comes together with it */
  reply(payload: string, more?: string): Promise<void>;
  close(): void;
}

export interface FakeNatsOptions {
  /** What it says of itself to a connection, beside what is needed. */
  info?(number: number): Record<string, unknown>;
  /** Called with whatever a client publishes. */
  answer(peer: NatsPeer): Promise<void>;
}

export const STREAM_NAMES = "$JS.API.STREAM.NAMES";

/** There is a stream, and it has what it is sent. @param more protocol right after it */
export async function answerWell(peer: NatsPeer, more = ""): Promise<void> {
  const isLookup = peer.subject === STREAM_NAMES;
  const answer = isLookup ? '{"streams":["LOGS"]}' : '{"stream":"LOGS","seq":1}';
  await peer.reply(answer, more);
}

export class FakeNats {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #connections: Deno.Conn[] = [];
  readonly #options: FakeNatsOptions;
  readonly #serving: Promise<void>;

  constructor(options: FakeNatsOptions) {
    this.#options = options;
    this.#serving = this.#serve();
  }

  get address(): string {
    return `127.0.0.1:${(this.#listener.addr as Deno.NetAddr).port}`;
  }

  async #serve(): Promise<void> {
    const talks: Promise<void>[] = [];
    for await (const connection of this.#listener) {
      const number = this.#connections.push(connection) - 1;
      // The client leaves when it likes.
      talks.push(this.#talk(connection, number).catch(() => {}));
    }
    await Promise.all(talks);
  }

  async #talk(connection: Deno.Conn, number: number): Promise<void> {
    const say = async (text: string) => {
      const bytes = encoder.encode(text);
      for (let at = 0; at < bytes.length;) at += await connection.write(bytes.slice(at));
    };
    const info = {
      ...{ server_id: "X", version: "2.11.0", proto: 1, headers: true },
      ...{ max_payload: 1024 * 1024, jetstream: true, ...this.#options.info?.(number) },
    };
    await say(`INFO ${JSON.stringify(info)}\r\n`);
    const subscriptions: { subject: string; id: string }[] = [];
    const buffer = new Uint8Array(64 * 1024);
    for (let text = "";;) {
      const end = text.indexOf("\r\n") + 2;
      const [verb, subject = "", ...more] = text.slice(0, Math.max(0, end - 2)).split(
        " ",
      );
      const length = verb === "PUB" || verb === "HPUB" ? Number(more.at(-1)) : -2;
      if (end < 2 || text.length < end + length + 2) {
        const count = await connection.read(buffer);
        if (count === null) return;
        text += decoder.decode(buffer.subarray(0, count));
        continue;
      }
      text = text.slice(end + length + 2);
      if (verb === "PING") await say("PONG\r\n");
      if (verb === "SUB") subscriptions.push({ subject, id: more.at(-1)! });
      if (length < 0) continue;
      const inbox = more[0]!;
      const headerLength = verb === "HPUB" ? Number(more.at(-2)) : 0;
      const { id } = subscriptions.find(({ subject }) =>
        inbox.startsWith(subject.slice(0, -1))
      )!;
      const reply = (payload: string, more = "") =>
        say(
          `MSG ${inbox} ${id} ${encoder.encode(payload).length}\r\n${payload}\r\n${more}`,
        );
      const close = () => connection.close();
      await this.#options.answer({
        ...{ number, subject, inbox, length: length - headerLength },
        ...{ reply, close },
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#connections) {
      try {
        connection.close();
      } catch {
        // It has been closed already.
      }
    }
    await this.#serving;
  }
}
