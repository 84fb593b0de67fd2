import type { RotatedFilesSpec } from "../output/file/rotated_files.ts";
import { mailWay } from "./mail.ts";

/**
 * `--compress`: has rotated files compressed, by one thread, which is started for the first
 * and stays: a runtime does not give back all that a thread has taken when it ends. Control
 * thread only.
 */
export class Compression {
  readonly #startThread: (mail: MessagePort) => void;
  /** Undefined while there is no thread. */
  #thread: MessagePort | undefined;
  #running = false;
  /** Rotated since the thread may have looked, by their path. */
  readonly #waiting = new Map<string, RotatedFilesSpec>();

  /** @param startThread starts a compressor, which gets the files there */
  constructor(startThread: (mail: MessagePort) => void) {
    this.#startThread = startThread;
  }

  get running(): boolean {
    return this.#running;
  }

  /** There are files to be compressed. */
  request(files: RotatedFilesSpec): void {
    if (this.#running) {
      this.#waiting.set(files.path, files);
      return;
    }
    this.#running = true;
    this.#thread ??= this.#start();
    this.#thread.postMessage(files);
  }

  #start(): MessagePort {
    const { sender, mail } = mailWay();
    this.#startThread(mail);
    return sender;
  }

  /** All are compressed, or it was said why they are not. */
  done(): void {
    const [next] = this.#waiting.values();
    this.#running = false;
    if (next === undefined) return;
    this.#waiting.delete(next.path);
    this.request(next);
  }

  /** What comes next is compressed by another thread. */
  died(): void {
    this.#thread = undefined;
    this.done();
  }
}
