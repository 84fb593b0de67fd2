import { InputError } from "../errors.ts";
import { close, read, STDIN } from "../system/descriptors.ts";
import { describeError, EAGAIN, EBUSY } from "../system/errno.ts";
import { kindName, status, statusOfName } from "../system/file_status.ts";
import { pipeSize, readableBytes, setPipeSize } from "../system/pipes.ts";
import { formatSize } from "../units.ts";
import { advice, createFifo, openFifo, openFifoInFolder, reopenFifo } from "./fifo.ts";
import { checkHandedOver } from "./handed_over.ts";
import { type InputSource, nameOfSource } from "./input_spec.ts";

/** Where a read has come to. */
export const WOULD_BLOCK = -1;
export const ENDED = 0;

export interface PipeSettings {
  readonly pipeSizeBytes: number;
  /** Make a FIFO again that was removed. */
  readonly create: boolean;
}

/** What a person should know. */
interface PipeEvents {
  onNotice(message: string): void;
}

/** Where the name of an open FIFO leads. */
type NameState = "here" | "nowhere" | "to another FIFO";

/**
 * One input's descriptor. A named pipe is opened without blocking, and its end
 * of file is only the end of one writer: `awaitNextWriter` goes on from there
 * without a moment in which bytes could get lost. Its name may be removed, or be
 * given to another pipe, while it is open: `look` finds out. Reader thread only.
 */
export class PipeSource {
  readonly #source: InputSource;
  readonly #settings: PipeSettings;
  readonly #events: PipeEvents;
  #descriptor: number;
  /** Of the open pipe. */
  #identity: string | undefined;
  #name: NameState = "here";
  #unpollable = false;
  #pipeBytes = 0;
  /** A state that lasts is said once; what was said since all was well. */
  readonly #said = new Set<string>();

  private constructor(
    source: InputSource,
    settings: PipeSettings,
    events: PipeEvents,
    descriptor: number,
  ) {
    this.#source = source;
    this.#settings = settings;
    this.#events = events;
    this.#descriptor = descriptor;
    this.#adopt(descriptor);
  }

  /**
   * What has that path in a folder; undefined when that is no named pipe.
   *
   * @throws InputError when it cannot be read.
   */
  static openInFolder(
    path: string,
    settings: PipeSettings,
    events: PipeEvents,
  ): PipeSource | undefined {
    const descriptor = openFifoInFolder(path);
    if (descriptor === undefined) return undefined;
    const source = { kind: "fifo", path, inFolder: true } as const;
    return new PipeSource(source, settings, events, descriptor);
  }

  /** @throws InputError when there is nothing to read from. */
  static open(
    source: InputSource,
    settings: PipeSettings,
    events: PipeEvents,
  ): PipeSource {
    if (source.kind === "kept") {
      throw new Error("nothing is read from a file that is left");
    }
    const descriptor = source.kind === "fifo"
      ? openFifo(source.path, settings.create)
      : checkHandedOver(source.number, source.name);
    return new PipeSource(source, settings, events, descriptor);
  }

  get descriptor(): number {
    return this.#descriptor;
  }

  get name(): string {
    return nameOfSource(this.#source);
  }

  /** What the kernel pipe can hold; 0 where it is no pipe. */
  get pipeBytes(): number {
    return this.#pipeBytes;
  }

  /** Where its name leads has to be looked at now and then, since nobody says so. */
  get needsLooks(): boolean {
    return this.#source.kind === "fifo" && (!this.#inFolder || this.#unpollable);
  }

  /** It has gone from its folder, and ends with its last writer. */
  get leaves(): boolean {
    return this.#inFolder && this.#name === "nowhere";
  }

  get #inFolder(): boolean {
    return this.#source.kind === "fifo" && this.#source.inFolder === true;
  }

  /** False where there is nothing more to read. */
  get isOpen(): boolean {
    return true;
  }

  /** What a read would find now: the whole of it, if it is a pipe. */
  get readableBytes(): number {
    return readableBytes(this.#descriptor);
  }

  /** It has a name, which can come to lead elsewhere. */
  get isNamed(): boolean {
    return this.#source.kind === "fifo";
  }

  /**
   * poll(2) would report the last writer's end again and again, since the pipe
   * could not be opened once more. Reading says when there is another writer.
   */
  get unpollable(): boolean {
    return this.#unpollable;
  }

  /** The name leads to another FIFO; once this one has ended, that is the next. */
  get replaced(): boolean {
    return this.#name === "to another FIFO";
  }

  /**
   * Reads at most `length` bytes to `address`: their number, ENDED or WOULD_BLOCK.
   *
   * @throws InputError when the input cannot be read.
   */
  read(address: number, length: number): number {
    const count = read(this.#descriptor, address, length);
    if (count !== ENDED) this.#unpollable = false;
    if (count >= 0) return count;
    if (count === -EAGAIN) return WOULD_BLOCK;
    throw new InputError(`cannot read ${this.name}: ${describeError(-count)}`);
  }

  /** As `read`, but not because poll(2) says so: an end is that of all writers before. */
  probe(address: number, length: number): number {
    const count = this.read(address, length);
    if (count !== ENDED && this.replaced && !this.#inFolder) {
      this.#notice(
        `${this.name} was replaced; the new one is read as soon as the last writer of the old one has closed it`,
      );
    }
    return count;
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
   *
   * @returns false when none can come
   * @throws InputError when another program has begun to read it at this moment.
   */
  awaitNextWriter(): boolean {
    if (this.#source.kind !== "fifo") return false;
    this.#findName(this.#source.path);
    if (this.leaves) return false;
    if (this.replaced) {
      this.#openReplacement(this.#source.path);
      return !this.leaves;
    }
    const next = reopenFifo(this.#source.path, this.#descriptor);
    this.#unpollable = next < 0;
    if (next < 0) {
      this.#notice(
        `cannot open ${this.name} once more for its next writer: ${describeError(-next)}${
          advice(-next)
        }; looking every second instead`,
      );
      return true;
    }
    this.#descriptor = next;
    return true;
  }

  /** Looks where the name leads, and says so where that has changed. */
  look(): void {
    if (this.#source.kind === "fifo") this.#findName(this.#source.path);
  }

  close(): void {
    // Standard input keeps its number: whatever is opened next must not get it.
    if (this.#descriptor !== STDIN) close(this.#descriptor);
  }

  #findName(path: string): void {
    if (this.#inFolder) {
      const found = statusOfName(path);
      if (typeof found === "number" || found.kind !== "pipe") this.#name = "nowhere";
      else this.#name = found.identity === this.#identity ? "here" : "to another FIFO";
      return;
    }
    let found = status(path);
    if (typeof found === "number" && this.#settings.create && this.#makeAgain(path)) {
      found = status(path);
    }
    if (typeof found === "number") {
      this.#name = "nowhere";
      this.#notice(
        `${this.name} cannot be found any more: ${
          describeError(-found)
        }; the writers that have it open are still read, but no other can come: make it again with mkfifo`,
      );
    } else if (found.identity === this.#identity) {
      if (this.#name === "here") return;
      this.#isHere(`${this.name} is back`);
    } else if (found.kind === "pipe") {
      this.#name = "to another FIFO";
    } else {
      this.#name = "nowhere";
      this.#notice(
        `${this.name} was replaced by a ${
          kindName(found)
        }, which is not read; remove it and make a FIFO again with mkfifo`,
      );
    }
  }

  #makeAgain(path: string): boolean {
    try {
      return createFifo(path);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      this.#notice(error.message);
      return false;
    }
  }

  #openReplacement(path: string): void {
    const next = this.#replacementAt(path);
    if (next === undefined) return;
    this.close();
    this.#descriptor = next;
    this.#unpollable = false;
    if (this.#inFolder) this.#name = "here";
    else this.#isHere(`${this.name} was replaced; the new one is read now`);
    this.#adopt(next);
  }

  #replacementAt(path: string): number | undefined {
    try {
      if (!this.#inFolder) return openFifo(path, this.#settings.create);
      const found = openFifoInFolder(path);
      if (found !== undefined) return found;
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      if (!this.#inFolder) {
        // The same as when the name led nowhere: it is looked at again.
        this.#unpollable = true;
        this.#notice(error.message);
        return undefined;
      }
    }
    // Whoever watches the folder finds what is there, and says what is wrong with it.
    this.#name = "nowhere";
    return undefined;
  }

  #isHere(message: string): void {
    this.#name = "here";
    this.#said.clear();
    this.#events.onNotice(message);
  }

  #adopt(descriptor: number): void {
    const found = status(descriptor);
    if (typeof found === "number") return;
    this.#identity = found.identity;
    if (found.kind !== "pipe") return;
    this.#growPipe();
    this.#pipeBytes = Math.max(0, pipeSize(descriptor));
  }

  /** Best effort: the system limits what one pipe, and all of one user's, may take. */
  #growPipe(): void {
    const wanted = this.#settings.pipeSizeBytes;
    let error = setPipeSize(this.#descriptor, wanted);
    if (error >= 0 || error === -EBUSY) return;
    const refused = error;
    for (let bytes = wanted / 2; error < 0 && bytes > pipeSize(this.#descriptor);) {
      error = setPipeSize(this.#descriptor, bytes);
      bytes /= 2;
    }
    this.#notice(
      `the kernel pipe of ${this.name} has ${
        formatSize(pipeSize(this.#descriptor))
      }, not ${formatSize(wanted)}: ${
        describeError(-refused)
      }; see fs.pipe-max-size and fs.pipe-user-pages-soft, or ask for a smaller --pipe-size`,
    );
  }

  #notice(message: string): void {
    if (this.#said.has(message)) return;
    this.#said.add(message);
    this.#events.onNotice(message);
  }
}
