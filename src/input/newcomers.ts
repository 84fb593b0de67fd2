import { InputError } from "../errors.ts";
import { RingProducer } from "../lane/ring_producer.ts";
import { wallClockMicros } from "../system/clock.ts";
import { describeError } from "../system/errno.ts";
import { Inotify } from "../system/inotify.ts";
import {
  FifoFolder,
  type FifoInFolder,
  type FolderInput,
  type FolderReader,
} from "./fifo_folder.ts";
import { type InputLoop, LOOK_MS } from "./input_loop.ts";
import { type PipeSettings, PipeSource } from "./pipe_source.ts";
import type { ReaderLane } from "./reader_lane.ts";

/** A named pipe that was found, and is not read yet. */
export interface FoundFifo {
  /** By which reader and control thread call the input; never given again. */
  readonly number: number;
  /** Its name. */
  readonly label: string;
  readonly path: string;
  readonly identity: string;
}

/** What the control thread says of one that was found. */
export type Answer =
  /** It is to be read into this lane. */
  | { readonly kind: "lane"; readonly found: number; readonly lane: ReaderLane }
  | { readonly kind: "refused"; readonly found: number; readonly why: string }
  /** Of one that was read all is written: its place is free. */
  | { readonly kind: "gone" };

/** What the reader has to know of folders, and who decides about what is in them. */
export interface NewcomersContext {
  readonly folders: readonly string[];
  /** So many of their pipes are read at the same time, and what the limit is. */
  readonly maxInputs: number;
  readonly limitedBy: string;
  /** Those of other inputs. */
  readonly labels: readonly string[];
  /** The control thread is to answer for each. */
  onFound(fifos: readonly FoundFifo[]): void;
  /** What it has answered since the last time. */
  answers(): Iterable<Answer>;
  /** Nothing more is put into the lane of that input. */
  onLetGo(found: number): void;
  onNotice(about: string, message: string): void;
}

/** An input that was found in a folder. */
class Newcomer implements FolderInput {
  /** Undefined until its lane has come. */
  loop: InputLoop | undefined;

  /** @param opened what was opened before there was a lane for it */
  constructor(
    readonly fifo: FoundFifo,
    readonly folder: FifoFolder,
    readonly opened: PipeSource | undefined,
  ) {}

  lookSoon(): void {
    this.loop?.lookSoon();
  }
}

/**
 * The inputs that come and go with the named pipes of folders. For one that is found the
 * control thread first makes a lane; one that has gone from its folder is read until its
 * last writer has closed it. Reader thread only.
 */
export class Newcomers implements FolderReader {
  readonly create: boolean;
  readonly #context: NewcomersContext;
  readonly #settings: PipeSettings;
  readonly #inotify = new Inotify();
  readonly #folders: readonly FifoFolder[];
  readonly #labels: Set<string>;
  readonly #newcomers = new Map<number, Newcomer>();
  readonly #byLoop = new Map<InputLoop, Newcomer>();
  /** Found since the control thread was asked. */
  #found: FoundFifo[] = [];
  #nextNumber = 0;
  /** How many take a place, also after they have been read to their ends. */
  #places = 0;
  #unanswered = 0;
  #nextLookMs = 0;

  /** @throws InputError when a folder cannot be read. */
  constructor(context: NewcomersContext, settings: PipeSettings) {
    this.create = settings.create;
    this.#context = context;
    this.#settings = settings;
    this.#labels = new Set(context.labels);
    if (this.#inotify.descriptor < 0) {
      throw new InputError(
        `cannot watch folders: inotify_init1 failed: ${
          describeError(-this.#inotify.descriptor)
        }; see fs.inotify.max_user_instances and the limit of open files`,
      );
    }
    this.#folders = context.folders.map((path) =>
      new FifoFolder(path, this.#inotify, this)
    );
    for (const folder of this.#folders) folder.start();
    this.#tellFound();
  }

  /** Readable when something has happened to names: see `onNames`. */
  get descriptor(): number {
    return this.#inotify.descriptor;
  }

  /** When `tick` has something to do, on the clock of `performance.now`. */
  get deadlineMs(): number {
    return this.#nextLookMs;
  }

  /** All that was found is read, or is not going to be. */
  get settled(): boolean {
    return this.#unanswered === 0;
  }

  /** Something has happened to names. */
  onNames(): void {
    this.#inotify.take({
      onEvent: (watch, mask, name) =>
        this.#folders.find((folder) => folder.watch === watch)?.onEvent(name, mask),
      onOverflow: () => this.#folders.forEach((folder) => folder.scan()),
    });
    this.#tellFound();
  }

  /** True when inputs are to look at their names. */
  tick(nowMs: number): boolean {
    if (nowMs < this.#nextLookMs) return false;
    this.#nextLookMs = (Math.floor(nowMs / LOOK_MS) + 1) * LOOK_MS;
    for (const folder of this.#folders) folder.look();
    this.#tellFound();
    return true;
  }

  get hasRoom(): boolean {
    return this.#places < this.#context.maxInputs;
  }

  /**
   * See `FolderReader`. It is opened only when it is to be read, since a writer would
   * notice; and what could not be opened before, at once: otherwise a lane and an output
   * would come and go for it every other second.
   */
  take(
    folder: FifoFolder,
    { name, path, identity }: FifoInFolder,
    opensAtOnce: boolean,
  ): FolderInput | string {
    if (this.#labels.has(name)) {
      return `the named pipe "${path}" is not read, since another input is called "${name}"; give it another name`;
    }
    if (!this.hasRoom) {
      return `the named pipe "${path}" is not read before another one goes: ${this.#context.limitedBy}`;
    }
    const fifo = { number: this.#nextNumber++, label: name, path, identity };
    const opened = opensAtOnce ? this.#openPipe(name, path) : undefined;
    const newcomer = new Newcomer(fifo, folder, opened);
    this.#labels.add(name);
    this.#newcomers.set(fifo.number, newcomer);
    this.#places++;
    this.#unanswered++;
    this.#found.push(fifo);
    return newcomer;
  }

  onNotice(about: string, message: string): void {
    this.#context.onNotice(about, message);
  }

  /**
   * Begins to read what the control thread has made lanes for.
   *
   * @param begin adds the input to those that are read
   */
  takeAnswers(begin: (lane: ReaderLane, source: PipeSource) => InputLoop): void {
    for (const answer of this.#context.answers()) {
      if (answer.kind === "gone") {
        this.#freePlace();
        continue;
      }
      this.#unanswered--;
      const newcomer = this.#newcomers.get(answer.found)!;
      if (answer.kind === "refused") {
        newcomer.opened?.close();
        this.#forget(newcomer);
        newcomer.folder.refuse(newcomer.fifo.label, answer.why);
        this.#freePlace();
      } else {
        this.#begin(newcomer, answer.lane, begin);
      }
    }
    this.#tellFound();
  }

  #begin(
    newcomer: Newcomer,
    lane: ReaderLane,
    begin: (lane: ReaderLane, source: PipeSource) => InputLoop,
  ): void {
    const source = this.#open(newcomer);
    if (source === undefined) {
      new RingProducer(lane.lane, lane.whenFull).close(0, 0, wallClockMicros());
      lane.ring();
      this.#forget(newcomer);
      this.#context.onLetGo(newcomer.fifo.number);
      return;
    }
    newcomer.loop = begin(lane, source);
    this.#byLoop.set(newcomer.loop, newcomer);
    // Something may have happened to its name since it was found.
    newcomer.lookSoon();
  }

  /** Undefined when it has gone again or cannot be read. */
  #open({ fifo: { label, path }, folder, opened }: Newcomer): PipeSource | undefined {
    if (opened !== undefined) return opened;
    let source: PipeSource | undefined;
    try {
      source = this.#openPipe(label, path);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      folder.failed(label, error.message);
    }
    if (source === undefined) folder.ended(label, false);
    return source;
  }

  /** Undefined when it has gone. @throws InputError when it cannot be read. */
  #openPipe(label: string, path: string): PipeSource | undefined {
    return PipeSource.openInFolder(path, this.#settings, {
      onNotice: (message) => this.onNotice(label, message),
    });
  }

  /** False when it is not one of these. */
  failed(loop: InputLoop, message: string): boolean {
    const newcomer = this.#byLoop.get(loop);
    if (newcomer === undefined) return false;
    newcomer.folder.failed(newcomer.fifo.label, message);
    return true;
  }

  /** Nothing more is read of it, and its descriptor is closed. */
  ended(loop: InputLoop): void {
    const newcomer = this.#byLoop.get(loop);
    if (newcomer === undefined) return;
    this.#byLoop.delete(loop);
    this.#forget(newcomer);
    this.#context.onLetGo(newcomer.fifo.number);
    newcomer.folder.ended(newcomer.fifo.label, loop.source.leaves);
    this.#tellFound();
  }

  #forget({ fifo: { number, label } }: Newcomer): void {
    this.#newcomers.delete(number);
    this.#labels.delete(label);
  }

  #freePlace(): void {
    this.#places--;
    for (const folder of this.#folders) folder.retryWaiting();
  }

  #tellFound(): void {
    if (this.#found.length === 0) return;
    this.#context.onFound(this.#found);
    this.#found = [];
  }
}
