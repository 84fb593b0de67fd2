import { PermanentError, TemporaryError, UsageError } from "../errors.ts";
import type { Outgoing } from "../formats/format.ts";
import {
  close,
  O_NONBLOCK,
  O_PATH,
  O_WRONLY,
  open,
  openAgain,
  write,
} from "../system/descriptors.ts";
import {
  describeError,
  EAGAIN,
  EBUSY,
  EEXIST,
  ENOENT,
  ENXIO,
  EPIPE,
} from "../system/errno.ts";
import { lockForWriting } from "../system/file_locks.ts";
import { type FileStatus, kindName, status } from "../system/file_status.ts";
import { mkfifo } from "../system/names.ts";
import { PIPE_BUF, readableBytes, setPipeSize } from "../system/pipes.ts";
import { poll, POLLERR, POLLOUT } from "../system/poll.ts";
import { refusalInSharedFolder } from "../system/shared_folder.ts";
import { Backoff } from "./backoff.ts";
import type { Destination, Sink, SinkKind } from "./sink.ts";
import type { Wait } from "./wait.ts";

const PREFIX = "fifo:";

interface FifoDestination extends Destination {
  readonly kind: "fifo";
  readonly path: string;
}

/** `--output fifo:PATH` */
export const fifoKind: SinkKind<FifoDestination> = {
  kind: "fifo",
  help: "fifo:PATH, a named pipe whose readers come and go, created with mode 0640",
  format: "raw",
  parse: parseFifo,
  open: ({ name, path }) => new FifoSink(name, path),
};

function parseFifo(output: string): FifoDestination | undefined {
  if (!output.startsWith(PREFIX)) return undefined;
  const path = output.slice(PREFIX.length);
  if (path === "") {
    throw new UsageError(`"${output}" names no pipe; write ${PREFIX}PATH`);
  }
  return { kind: "fifo", name: `FIFO "${path}"`, readableAt: path, path };
}

/** Readable for a group of log readers, as the file that could be written instead. */
const FIFO_MODE = 0o640;
/** One page, the least there is. */
const PIPE_BYTES = PIPE_BUF;
/** Nothing tells a writer that a reader has come, so it looks for one so often. */
const FIRST_LOOK_MS = 10;
const LONGEST_LOOK_MS = 500;

/**
 * A named pipe whose readers come and go. While there is none, nothing is written
 * and lines stay in the ring.
 *
 * The kernel pipe holds one page only, so that it has room when, and only when,
 * the reader has read everything. So this knows what was read and not only what
 * was written: a record counts as out when a reader has read the last byte of it.
 * When a reader leaves, what it has not read, and the record that it was in the
 * middle of, goes to the next one. What it did with the bytes that it did read,
 * no one can tell.
 *
 * A reader that comes at the very moment at which the last one leaves cannot be
 * told apart from it, and may begin in the middle of a record. Flusher thread only.
 */
class FifoSink implements Sink {
  readonly #name: string;
  readonly #path: string;
  readonly #looks = new Backoff(FIRST_LOOK_MS, LONGEST_LOOK_MS);
  /** Undefined while there is no reader. */
  #descriptor: number | undefined;
  /** What of the piece has gone into the pipe beyond what `write` has said to be taken. */
  #unconfirmed = 0;

  /** @throws PermanentError when there can be no such pipe. */
  constructor(name: string, path: string) {
    this.#name = name;
    this.#path = path;
    try {
      const obstacle = this.#connect();
      if (obstacle !== undefined) throw new PermanentError(obstacle);
    } catch (error) {
      // It is said when there are lines, if it is still so.
      if (!(error instanceof TemporaryError)) throw error;
    }
  }

  /** @throws TemporaryError when something is in the way of any reader. */
  ready(wait: Wait): boolean {
    if (this.#descriptor !== undefined) {
      if ((poll(this.#descriptor, 0, 0) & POLLERR) === 0) return true;
      this.#disconnect();
    }
    const nowMs = performance.now();
    if (nowMs >= this.#looks.retryAtMs) {
      const obstacle = this.#connect();
      if (obstacle !== undefined) throw new TemporaryError(obstacle);
      if (this.#descriptor !== undefined) {
        this.#looks.reset();
        return true;
      }
      this.#looks.failed(nowMs);
    }
    wait.until(this.#looks.retryAtMs);
    return false;
  }

  write(piece: Outgoing, from: number, wait: Wait): number {
    if (this.#descriptor === undefined && !this.ready(wait)) return 0;
    const descriptor = this.#descriptor!;
    if (this.#unconfirmed === 0) this.#fill(descriptor, piece, from);
    const events = poll(descriptor, POLLOUT, 0);
    const left = (events & POLLERR) !== 0;
    if (!left && (events & POLLOUT) === 0) {
      wait.forDescriptor(descriptor, POLLOUT);
      return 0;
    }
    const unread = Math.max(0, readableBytes(descriptor));
    const taken = wholeRecords(piece, from, this.#unconfirmed - unread);
    if (left) this.#disconnect();
    else this.#unconfirmed -= taken;
    if (!left && unread > 0) {
      this.#shrink(descriptor, wait);
      return taken;
    }
    // A record that is longer than the pipe: the reader has its beginning.
    if (!left && taken === 0) this.#fill(descriptor, piece, from);
    if (taken === 0) wait.until(performance.now());
    return taken;
  }

  /** The reader has made the pipe larger: it would have room whether it reads or not. */
  #shrink(descriptor: number, wait: Wait): void {
    if (setPipeSize(descriptor, PIPE_BYTES) >= 0) wait.forDescriptor(descriptor, POLLOUT);
    else wait.until(performance.now() + FIRST_LOOK_MS);
  }

  /**
   * Puts into the pipe what it has room for: whole records, in one write, so that they are
   * whole even if this process is killed; only of one that is longer, a part.
   */
  #fill(descriptor: number, piece: Outgoing, from: number): void {
    const at = from + this.#unconfirmed;
    if (at === piece.length) return;
    const bytes = wholeRecords(piece, at, PIPE_BYTES) || PIPE_BYTES;
    const count = write(descriptor, piece.address + at, bytes);
    if (count > 0) this.#unconfirmed += count;
    else if (count !== -EAGAIN && count !== -EPIPE) {
      throw new TemporaryError(`cannot write to ${this.#name}: ${describeError(-count)}`);
    }
  }

  finish(): boolean {
    // All that was written has been read, so closing takes nothing from the reader.
    if (this.#descriptor !== undefined) this.#disconnect();
    return true;
  }

  /** Opens the pipe if there is a reader; says what is in the way of ever having one. */
  #connect(): string | undefined {
    let found = open(this.#path, O_PATH);
    // A link that leads nowhere is there (EEXIST), and yet has nothing to be opened.
    let dangling = false;
    if (found < 0) {
      const made = found === -ENOENT ? mkfifo(this.#path, FIFO_MODE) : found;
      dangling = made === -EEXIST;
      if (made < 0 && !dangling) {
        return `cannot make ${this.#name}: ${
          describeError(-made)
        }; its folder must exist and be writable for this user`;
      }
      found = open(this.#path, O_PATH);
    }
    // Somebody has removed it in this very moment; it is made again at the next look.
    if (found === -ENOENT && !dangling) return undefined;
    if (found < 0) return this.#cannotOpen(found);
    try {
      return this.#open(found);
    } finally {
      close(found);
    }
  }

  /**
   * Opens what was found, and nothing that has got its name since.
   *
   * @throws TemporaryError while somebody else writes to it, or what it holds is unread.
   */
  #open(found: number): string | undefined {
    const refusal = this.#refusal(status(found));
    if (refusal !== undefined) return `cannot write to ${this.#name}: ${refusal}`;
    const descriptor = openAgain(found, O_WRONLY | O_NONBLOCK);
    if (descriptor === -ENXIO) return undefined;
    const outcome = descriptor < 0 ? descriptor : this.#prepare(descriptor);
    if (outcome < 0) {
      if (descriptor >= 0) close(descriptor);
      if (outcome === -EBUSY) {
        throw new TemporaryError(
          `cannot write to ${this.#name}: it still holds what was written to it before; read that first`,
        );
      }
      if (outcome !== -EAGAIN) return this.#cannotOpen(outcome);
      throw new TemporaryError(
        `cannot write to ${this.#name}: another process writes to it, and lines of the two would mix; end that one, or write to another pipe`,
      );
    }
    this.#descriptor = descriptor;
    return undefined;
  }

  #prepare(descriptor: number): number {
    const outcome = lockForWriting(descriptor);
    return outcome < 0 ? outcome : setPipeSize(descriptor, PIPE_BYTES);
  }

  #refusal(found: FileStatus | number): string | undefined {
    if (typeof found === "number") return describeError(-found);
    if (found.kind === "pipe") return refusalInSharedFolder(this.#path, found);
    return `not a FIFO but a ${kindName(found)}; make one with mkfifo under another name`;
  }

  #cannotOpen(outcome: number): string {
    return `cannot open ${this.#name} for writing: ${describeError(-outcome)}`;
  }

  /** The kernel throws away what is unread; it is still in the flusher's hand. */
  #disconnect(): void {
    close(this.#descriptor!);
    this.#descriptor = undefined;
    this.#unconfirmed = 0;
  }
}

/** How many of `bytes` from `from` on make whole records. */
function wholeRecords(piece: Outgoing, from: number, bytes: number): number {
  const end = from + bytes;
  if (end >= piece.length) return piece.length - from;
  return Math.max(0, piece.recordStart(end) - from);
}
