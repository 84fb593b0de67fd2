import { TemporaryError } from "../../errors.ts";
import type { Outgoing } from "../../formats/format.ts";
import { close, O_RDONLY, openAgain, write } from "../../system/descriptors.ts";
import { closeUnlocked } from "../../system/file_locks.ts";
import { status } from "../../system/file_status.ts";
import { fsync, readAt, truncate } from "../../system/files.ts";
import { addressOf } from "../../system/memory.ts";
import { DescriptorSink } from "../descriptor_sink.ts";
import type { Wait } from "../wait.ts";
import {
  type Appendable,
  type FileWish,
  openForAppending,
} from "./open_for_appending.ts";
import { endLine, endsInsideLine } from "./torn_end.ts";

/** What is longer is left where it is. */
const MAX_CARRIED_BYTES = 8 * 1024 * 1024;

/**
 * A file that is open for appending, or a device. Knows how much of the record at
 * its end has been written, for the case that the rest goes elsewhere.
 */
export class AppendedFile {
  readonly descriptor: number;
  /** Devices such as /dev/null have no size, and cannot be synced. */
  readonly isFile: boolean;
  /** Tells it from other files. */
  readonly identity: string;
  readonly #writer: DescriptorSink;
  #bytes: number;
  #unfinishedBytes = 0;
  /** Something was left in it that a record must not be glued to. */
  #endsInsideLine: boolean;

  private constructor(name: string, { descriptor, status }: Appendable) {
    this.descriptor = descriptor;
    this.isFile = status.kind === "file";
    this.identity = status.identity;
    this.#bytes = status.bytes;
    this.#endsInsideLine = this.isFile && endsInsideLine(descriptor, status.bytes);
    this.#writer = new DescriptorSink(name, descriptor, write, !this.isFile);
  }

  /**
   * Opens the file or makes it; says in words why when neither works.
   *
   * @param name how messages call it
   */
  static open(name: string, wish: FileWish): AppendedFile | string {
    const found = openForAppending(wish);
    return typeof found === "string" ? found : new AppendedFile(name, found);
  }

  /** How large it is before the next record, provided no one else writes to it. */
  get bytes(): number {
    return this.#bytes + (this.#endsInsideLine ? 1 : 0);
  }

  /** Where the record begins that it ends in the middle of; else its end. */
  get recordStartBytes(): number {
    return this.#bytes - this.#unfinishedBytes;
  }

  /** The next byte begins a record. */
  get atRecordStart(): boolean {
    return this.#unfinishedBytes === 0;
  }

  /** What it holds from byte `at` on; undefined where that is too much, or unreadable. */
  contentFrom(at: number): Uint8Array | undefined {
    const found = status(this.descriptor);
    if (typeof found === "number" || !this.isFile) return undefined;
    const length = found.bytes - at;
    if (length < 0 || length > MAX_CARRIED_BYTES) return undefined;
    return length === 0 ? new Uint8Array() : this.#read(at, length);
  }

  /** What comes next belongs to what it ends with, though that be half a line. */
  goOn(): void {
    this.#endsInsideLine = false;
  }

  /** See `Sink.write`. @param to where to stop */
  write(piece: Outgoing, from: number, wait: Wait, to: number): number {
    if (this.#endsInsideLine) this.#endLine();
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

  /** Where it has grown since, what was seen was a write of another process under way. */
  #endLine(): void {
    const found = status(this.descriptor);
    const isTorn = typeof found === "number" || found.bytes === this.#bytes;
    if (isTorn) {
      endLine(this.#writer.name, this.descriptor);
      this.#bytes++;
    }
    this.#endsInsideLine = false;
  }

  /**
   * Moves what it holds from byte `at` on to `next`, where writing goes on: the record
   * that it ends in the middle of, if it does, unless asked not to. False where that
   * does not work, because `next` is full or this file cannot be read, or somebody else
   * has written to it; a record is then cut in two, and nothing lost by it.
   */
  carryTo(next: AppendedFile, at = this.recordStartBytes): boolean {
    const length = this.#bytes - at;
    if (length === 0) return true;
    if (length > MAX_CARRIED_BYTES || !this.isFile || !next.isFile) return false;
    const found = status(this.descriptor);
    if (typeof found === "number" || found.bytes !== this.#bytes) return false;
    const bytes = this.#read(at, length);
    if (bytes === undefined || !next.#takeOver(bytes, this.#unfinishedBytes)) {
      return false;
    }
    truncate(this.descriptor, at);
    return true;
  }

  /** Writes all of it; takes back a part that it has room for. */
  #takeOver(bytes: Uint8Array, unfinishedBytes: number): boolean {
    const { length } = bytes;
    try {
      if (this.#endsInsideLine) this.#endLine();
    } catch (error) {
      if (error instanceof TemporaryError) return false;
      throw error;
    }
    const count = write(this.descriptor, addressOf(bytes), length);
    if (count !== length) {
      if (count > 0) this.#takeBack(count);
      return false;
    }
    this.#bytes += length;
    this.#unfinishedBytes = unfinishedBytes;
    return true;
  }

  /** Where it may be appended to and not be cut, as with chattr +a, a torn line stays. */
  #takeBack(count: number): void {
    if (truncate(this.descriptor, this.#bytes) >= 0) return;
    this.#bytes += count;
    this.#endsInsideLine = true;
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
    if (outcome >= 0) {
      this.#bytes = 0;
      this.#endsInsideLine = false;
    }
    return outcome;
  }

  /** Makes what it holds lasting; `-errno` when that does not work. */
  sync(): number {
    return this.isFile ? fsync(this.descriptor) : 0;
  }

  /** With it goes its lock. */
  close(): void {
    closeUnlocked(this.descriptor);
  }
}
