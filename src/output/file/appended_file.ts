import type { Outgoing } from "../../formats/format.ts";
import {
  close,
  O_APPEND,
  O_CREAT,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_RDONLY,
  O_WRONLY,
  open,
  openAgain,
  write,
} from "../../system/descriptors.ts";
import { status } from "../../system/file_status.ts";
import { fsync, readAt, truncate } from "../../system/files.ts";
import { addressOf } from "../../system/memory.ts";
import { DescriptorSink } from "../descriptor_sink.ts";
import type { Wait } from "../wait.ts";

/** Longer beginnings of a record are left where they are. */
const MAX_CARRIED_BYTES = 1024 * 1024;

/**
 * A file that is open for appending, or a device. Knows how much of the record at
 * its end has been written, for the case that the rest goes elsewhere.
 */
export class AppendedFile {
  readonly descriptor: number;
  /** Devices such as /dev/null have no size, and cannot be synced. */
  readonly isFile: boolean;
  readonly #writer: DescriptorSink;
  #bytes: number;
  #unfinishedBytes = 0;

  private constructor(name: string, descriptor: number) {
    const found = status(descriptor);
    this.descriptor = descriptor;
    this.isFile = typeof found !== "number" && found.kind === "file";
    this.#bytes = typeof found === "number" ? 0 : found.bytes;
    this.#writer = new DescriptorSink(name, descriptor);
  }

  /**
   * Opens the file or makes it; `-errno` when neither works.
   *
   * @param name how messages call it
   * @param mode of a file that is made
   * @param followsLinks the file may be one that a symbolic link leads to
   */
  static open(
    name: string,
    path: string,
    mode: number,
    followsLinks = true,
  ): AppendedFile | number {
    // O_NONBLOCK means nothing to files; it keeps a FIFO that has taken the
    // name in the meantime from blocking this thread for ever.
    const flags = O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK;
    const descriptor = open(path, followsLinks ? flags : flags | O_NOFOLLOW, mode);
    return descriptor < 0 ? descriptor : new AppendedFile(name, descriptor);
  }

  /** Its size, as far as nobody else writes to it. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The next byte begins a record. */
  get atRecordStart(): boolean {
    return this.#unfinishedBytes === 0;
  }

  /** See `Sink.write`. @param to where to stop */
  write(piece: Outgoing, from: number, wait: Wait, to: number): number {
    const count = this.#writer.write(piece, from, wait, to);
    const end = from + count;
    this.#bytes += count;
    if (end === piece.length && !piece.endsInside) {
      this.#unfinishedBytes = 0;
    } else {
      const start = piece.recordStart(end);
      if (start > from) this.#unfinishedBytes = end - start;
      else this.#unfinishedBytes += count;
    }
    return count;
  }

  /**
   * Takes the record that this file ends in the middle of, if it does, to `next`,
   * where the rest of it is going to be written. Where that does not work, because
   * `next` is full or this file cannot be read, the record stays cut in two;
   * nothing is lost by it.
   */
  carryRecordTo(next: AppendedFile): void {
    const length = this.#unfinishedBytes;
    const found = status(this.descriptor);
    const nextFound = status(next.descriptor);
    if (typeof found === "number" || typeof nextFound === "number") return;
    if (found.identity === nextFound.identity) {
      next.#unfinishedBytes = length;
      return;
    }
    if (length === 0 || length > MAX_CARRIED_BYTES) return;
    // If somebody else has written to it, what stands at its end is not ours.
    if (!this.isFile || !next.isFile || found.bytes !== this.#bytes) return;
    const at = found.bytes - length;
    const record = this.#read(at, length);
    if (record === undefined) return;
    if (write(next.descriptor, addressOf(record), length) !== length) {
      truncate(next.descriptor, next.#bytes);
      return;
    }
    next.#bytes += length;
    next.#unfinishedBytes = length;
    truncate(this.descriptor, at);
  }

  #read(at: number, length: number): Uint8Array | undefined {
    const descriptor = openAgain(this.descriptor, O_RDONLY);
    if (descriptor < 0) return undefined;
    const bytes = new Uint8Array(length);
    const count = readAt(descriptor, addressOf(bytes), length, at);
    close(descriptor);
    return count === length ? bytes : undefined;
  }

  /** Throws away what it holds; `-errno` when that does not work. */
  empty(): number {
    const outcome = truncate(this.descriptor, 0);
    if (outcome >= 0) this.#bytes = 0;
    return outcome;
  }

  /** Makes what it holds lasting; `-errno` when that does not work. */
  sync(): number {
    return this.isFile ? fsync(this.descriptor) : 0;
  }

  close(): void {
    close(this.descriptor);
  }
}
