/** How a line is waited for where it comes out. */

import { close, O_NONBLOCK, O_RDONLY, open, read } from "../../src/system/descriptors.ts";
import { Inotify } from "../../src/system/inotify.ts";
import { addressOf } from "../../src/system/memory.ts";

const IN_MODIFY = 0x2;

export interface Receiver {
  /** Readable when something may have come: see poll(2). */
  readonly descriptor: number;
  /** How many bytes have come since the last time. */
  take(): number;
  close(): void;
}

/** Reads a named pipe. */
export class PipeReceiver implements Receiver {
  readonly descriptor: number;
  readonly #buffer = new Uint8Array(new ArrayBuffer(4096));

  constructor(path: string) {
    this.descriptor = open(path, O_RDONLY | O_NONBLOCK);
  }

  take(): number {
    const { length } = this.#buffer;
    return Math.max(0, read(this.descriptor, addressOf(this.#buffer), length));
  }

  close(): void {
    close(this.descriptor);
  }
}

/** Watches a file that is there grow. */
export class FileReceiver implements Receiver {
  readonly #path: string;
  readonly #inotify = new Inotify();
  #bytes = 0;

  constructor(path: string) {
    this.#path = path;
    this.#inotify.add(path, IN_MODIFY);
  }

  get descriptor(): number {
    return this.#inotify.descriptor;
  }

  take(): number {
    this.#inotify.take({ onEvent: () => {}, onOverflow: () => {} });
    const before = this.#bytes;
    this.#bytes = Deno.statSync(this.#path).size;
    return this.#bytes - before;
  }

  close(): void {
    this.#inotify.close();
  }
}
