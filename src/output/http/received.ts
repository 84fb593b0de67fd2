import { TemporaryError } from "../../errors.ts";
import type { ServingConnection } from "../network/serving_connection.ts";

const MAX_LINE_BYTES = 16 * 1024;
const NEWLINE = 10;

const decoder = new TextDecoder();

/** What comes over a connection, taken from it by lines and by lengths. */
export class Received {
  readonly #connection: Pick<ServingConnection, "read">;
  /** What has come and was not taken yet: at most a line and one read. */
  #bytes: Uint8Array = new Uint8Array();

  constructor(connection: Pick<ServingConnection, "read">) {
    this.#connection = connection;
  }

  /** Nothing is left of what was read from the connection. */
  get isEmpty(): boolean {
    return this.#bytes.length === 0;
  }

  /** The next line, without its end. @throws TemporaryError when none comes */
  async line(): Promise<string> {
    for (let searched = 0;;) {
      const end = this.#bytes.indexOf(NEWLINE, searched);
      if (end >= 0) {
        const line = decoder.decode(this.#bytes.subarray(0, end));
        this.#bytes = this.#bytes.subarray(end + 1);
        return line.replace(/\r$/, "");
      }
      searched = this.#bytes.length;
      if (searched > MAX_LINE_BYTES) throw misunderstood("a line without an end");
      if (!await this.#more()) throw misunderstood("the end of the connection");
    }
  }

  /**
   * At least one of the next bytes and at most `length`, good until the next call;
   * undefined at the end of the connection. @throws TemporaryError when it breaks
   */
  async some(length: number): Promise<Uint8Array | undefined> {
    if (this.#bytes.length === 0 && !await this.#more()) return undefined;
    const bytes = this.#bytes.subarray(0, length);
    this.#bytes = this.#bytes.subarray(bytes.length);
    return bytes;
  }

  async #more(): Promise<boolean> {
    const bytes = await this.#connection.read();
    if (bytes === undefined) return false;
    this.#bytes = this.#bytes.length === 0 ? bytes : joined(this.#bytes, bytes);
    return true;
  }
}

/** What a server has sent is not HTTP/1.1. */
export function misunderstood(what: string): TemporaryError {
  return new TemporaryError(`the server's reply cannot be understood: found ${what}`);
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}
