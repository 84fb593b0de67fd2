import type { RotatedFilesSpec } from "../output/file/rotated_files.ts";

/**
 * `--compress`: has rotated files compressed, by one thread at a time, which ends when
 * there is nothing left to compress. Control thread only.
 */
export class Compression {
  readonly #startThread: (files: RotatedFilesSpec) => void;
  #running = false;
  /** Rotated since the thread may have looked. */
  #next: RotatedFilesSpec | undefined;

  constructor(startThread: (files: RotatedFilesSpec) => void) {
    this.#startThread = startThread;
  }

  get running(): boolean {
    return this.#running;
  }

  /** There are files to be compressed. */
  request(files: RotatedFilesSpec): void {
    if (this.#running) {
      this.#next = files;
      return;
    }
    this.#running = true;
    this.#startThread(files);
  }

  /** The thread has ended, one way or the other. */
  ended(): void {
    const next = this.#next;
    this.#running = false;
    this.#next = undefined;
    if (next !== undefined) this.request(next);
  }
}
