import type { RotatedFilesSpec } from "../output/file/rotated_files.ts";

/**
 * `--compress`: has rotated files compressed, by one thread at a time, which ends when
 * there is nothing left to compress. Control thread only.
 */
export class Compression {
  readonly #startThread: (files: RotatedFilesSpec) => void;
  #running = false;
  /** Rotated since the thread may have looked, by their path. */
  readonly #waiting = new Map<string, RotatedFilesSpec>();

  constructor(startThread: (files: RotatedFilesSpec) => void) {
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
    this.#startThread(files);
  }

  /** The thread has ended, one way or the other. */
  ended(): void {
    const [next] = this.#waiting.values();
    this.#running = false;
    if (next === undefined) return;
    this.#waiting.delete(next.path);
    this.request(next);
  }
}
