import { InputError } from "../errors.ts";
import {
  close,
  describeError,
  EAGAIN,
  EBADF,
  EEXIST,
  mkfifo,
  O_NONBLOCK,
  O_RDONLY,
  open,
  read,
  readableBytes,
  setPipeSize,
  status,
} from "../platform/posix.ts";

/** What the control thread knows of an input. */
export interface InputSpec {
  readonly label: string;
  readonly source: InputSource;
}

/** Where an input comes from. */
export type InputSource =
  | { readonly kind: "fifo"; readonly path: string }
  /** Handed over open by whoever has started the program; `name` is for messages. */
  | { readonly kind: "descriptor"; readonly number: number; readonly name: string };

export const STANDARD_INPUT: InputSource = {
  kind: "descriptor",
  number: 0,
  name: "standard input",
};

const FIFO_MODE = 0o600;

const STDIN = 0;

/** Where a read has come to. */
export const WOULD_BLOCK = -1;
export const ENDED = 0;

/**
 * One input's descriptor. A named pipe is opened without blocking, and its end
 * of file is only the end of one writer: `awaitNextWriter` goes on from there
 * without a moment in which bytes could get lost. Reader thread only.
 */
export class PipeSource {
  readonly #spec: InputSpec;
  #descriptor: number;

  private constructor(spec: InputSpec, descriptor: number) {
    this.#spec = spec;
    this.#descriptor = descriptor;
  }

  /** @throws InputError when there is nothing to read from. */
  static open(spec: InputSpec, pipeSizeBytes: number): PipeSource {
    const source = new PipeSource(
      spec,
      spec.source.kind === "fifo"
        ? openFifo(spec.source.path)
        : checkDescriptor(spec.source.number, spec.source.name),
    );
    // Best effort: only pipes have a size, and the system may limit it.
    setPipeSize(source.#descriptor, pipeSizeBytes);
    return source;
  }

  get descriptor(): number {
    return this.#descriptor;
  }

  get name(): string {
    const { source } = this.#spec;
    return source.kind === "fifo" ? `FIFO "${source.path}"` : source.name;
  }

  /**
   * Reads at most `length` bytes to `address`: their number, ENDED or WOULD_BLOCK.
   *
   * @throws InputError when the input cannot be read.
   */
  read(address: number, length: number): number {
    const count = read(this.#descriptor, address, length);
    if (count >= 0) return count;
    if (count === -EAGAIN) return WOULD_BLOCK;
    throw new InputError(`cannot read ${this.name}: ${describeError(-count)}`);
  }

  /** Bytes that were written before this moment and not yet read; 0 for files. */
  get pendingBytes(): number {
    const kind = status(this.#descriptor);
    if (typeof kind !== "number" && kind.kind === "file") return 0;
    return Math.max(0, readableBytes(this.#descriptor));
  }

  /**
   * After the end of a named pipe's last writer: waits for the next one from now
   * on. A kept descriptor would report the hang-up again and again, and a closed
   * one would lose what the next writer has already written; so the pipe is
   * opened once more, through /proc since its name may be gone, before the old
   * descriptor is closed. Linux reports a hang-up only to descriptors that were
   * open while there was a writer.
   */
  awaitNextWriter(): void {
    const next = open(`/proc/self/fd/${this.#descriptor}`, O_RDONLY | O_NONBLOCK);
    if (next < 0) {
      throw new InputError(
        `cannot wait for the next writer of ${this.name}: ${describeError(-next)}`,
      );
    }
    close(this.#descriptor);
    this.#descriptor = next;
  }

  close(): void {
    // Standard input keeps its number: whatever is opened next must not get it.
    if (this.#descriptor !== STDIN) close(this.#descriptor);
  }
}

/**
 * Makes a named pipe that only its owner may use; false if one was there already.
 *
 * @throws InputError when it cannot be made.
 */
export function createFifo(path: string): boolean {
  const outcome = mkfifo(path, FIFO_MODE);
  if (outcome === -EEXIST) return false;
  if (outcome < 0) {
    throw new InputError(
      `cannot make FIFO "${path}": ${
        describeError(-outcome)
      }; its folder must exist and be writable`,
    );
  }
  return true;
}

function checkDescriptor(descriptor: number, name: string): number {
  const found = status(descriptor);
  if (found === -EBADF) {
    throw new InputError(
      `cannot read ${name}: it is closed; pipe something into it or name a --fifo`,
    );
  }
  if (typeof found !== "number" && found.kind === "directory") {
    throw new InputError(
      `cannot read ${name}: it is a directory; redirect a file or a pipe into it`,
    );
  }
  return descriptor;
}

function openFifo(path: string): number {
  const found = status(path);
  if (typeof found === "number") {
    throw new InputError(
      `cannot open FIFO "${path}": ${
        describeError(-found)
      }; make one with mkfifo or pass --create`,
    );
  }
  if (found.kind !== "pipe") {
    throw new InputError(
      `cannot open FIFO "${path}": not a FIFO but a ${
        found.kind === "file" ? "regular file" : found.kind
      }; make one with mkfifo under another name, or redirect it into standard input`,
    );
  }
  const descriptor = open(path, O_RDONLY | O_NONBLOCK);
  if (descriptor < 0) {
    throw new InputError(`cannot open FIFO "${path}": ${describeError(-descriptor)}`);
  }
  return descriptor;
}
