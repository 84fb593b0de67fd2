import { createFifo } from "../input/fifo.ts";
import type { InputSpec } from "../input/pipe_source.ts";
import { status } from "../system/file_status.ts";
import { unlink } from "../system/names.ts";

/** `--create`: the named pipes that this program has made. Control thread only. */
export class MadeFifos {
  /** Their paths, and what stands there if nobody has put another one there. */
  readonly #identities = new Map<string, string>();

  /** Makes those that are missing. @throws InputError when one cannot be made. */
  create(inputs: readonly InputSpec[]): void {
    for (const { source } of inputs) {
      if (source.kind === "fifo" && createFifo(source.path)) this.remember(source.path);
    }
  }

  /** One was made by another thread. */
  remember(path: string): void {
    const made = status(path);
    if (typeof made !== "number") this.#identities.set(path, made.identity);
  }

  remove(): void {
    for (const [path, identity] of this.#identities) {
      const found = status(path);
      if (typeof found !== "number" && found.identity === identity) unlink(path);
    }
  }
}
