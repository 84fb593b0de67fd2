import { InputError } from "../errors.ts";
import { describeError, EACCES, ENOENT, ENOTDIR } from "../system/errno.ts";
import {
  type FileStatus,
  kindName,
  status,
  statusOfName,
} from "../system/file_status.ts";
import { namesIn } from "../system/folders.ts";
import {
  IN_ATTRIB,
  IN_CREATE,
  IN_DELETE,
  IN_DELETE_SELF,
  IN_MOVE_SELF,
  IN_MOVED_FROM,
  IN_MOVED_TO,
  IN_ONLYDIR,
  type Inotify,
} from "../system/inotify.ts";
import { mkdir } from "../system/names.ts";
import { refusalInSharedFolder } from "../system/shared_folder.ts";
import { advice } from "./fifo.ts";
import { isLabel, LABEL_RULE } from "./label.ts";

/** For the owner alone, as the named pipes that `--create` makes. */
const FOLDER_MODE = 0o700;

/** A name may come, go, or become readable. */
const EVENTS = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB |
  IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

/** Nothing has the name any more. */
const GOES = IN_DELETE | IN_MOVED_FROM;

/** The errors of a name that leads nowhere. */
const GONE: readonly number[] = [ENOENT, ENOTDIR];

/** What replaces bytes that are not UTF-8 in a decoded name. */
const NOT_UTF8 = "\uFFFD";

/** A named pipe that is in the folder. */
export interface FifoInFolder {
  readonly name: string;
  readonly path: string;
  /** Tells it from other files. */
  readonly identity: string;
}

/** An input that is read from such a pipe, or will be. */
export interface FolderInput {
  /** Something has happened to its name. */
  lookSoon(): void;
}

/** What has to happen before a named pipe that is not read is considered again. */
type Until = "something happens to it" | "another goes" | "it can be opened";

/** Why it is not read, which is said once. */
interface Refusal {
  readonly why: string;
  readonly until: Until;
}

/** Who decides what is read of a folder. */
export interface FolderReader {
  /** Makes a folder that is missing. */
  readonly create: boolean;
  /** Another could be read. */
  readonly hasRoom: boolean;
  /**
   * The input that it becomes; or why it has to wait for another to go, in words.
   *
   * @param opensAtOnce it is opened before anything is made for it
   * @throws InputError when it was to be opened at once, and cannot be.
   */
  take(
    folder: FifoFolder,
    fifo: FifoInFolder,
    opensAtOnce: boolean,
  ): FolderInput | string;
  /** @param about a name in the folder, or its own path */
  onNotice(about: string, message: string): void;
}

/** `--create`, at the start. @throws InputError when it is missing and cannot be made. */
export function createFolder(path: string): void {
  const found = status(path);
  const outcome = typeof found === "number" ? mkdir(path, FOLDER_MODE) : 0;
  if (outcome >= 0) return;
  throw new InputError(
    `cannot make folder "${path}": ${
      describeError(-outcome)
    }; what it is in must exist and be writable`,
  );
}

/**
 * A folder whose named pipes are read, also those that come later, each called by its
 * name. Whoever may write to the folder may put anything there, so no name is trusted,
 * links are not followed, and what is wrong with one pipe is said and ends nothing.
 *
 * Names are looked at when inotify(7) says that something has happened to them. When it
 * has said too much at once, or the folder is another one, all are. Reader thread only.
 */
export class FifoFolder {
  readonly #path: string;
  readonly #inotify: Inotify;
  readonly #reader: FolderReader;
  /** What is read, by its name. */
  readonly #inputs = new Map<string, FolderInput>();
  /** Other named pipes, which are not read. */
  readonly #refused = new Map<string, Refusal>();
  #watch = -1;
  /** Of the folder that is watched; undefined while there is none. */
  #identity: string | undefined;
  #cannotWatch = false;
  /** Something could not be looked at, or may be judged otherwise: all is, at the next look. */
  #isToScan = false;
  /** What was said of that, until a scan has seen all. */
  #trouble: string | undefined;

  constructor(path: string, inotify: Inotify, reader: FolderReader) {
    this.#path = path;
    this.#inotify = inotify;
    this.#reader = reader;
  }

  /** Finds what is there, and what comes from now on. @throws InputError if it is none. */
  start(): void {
    const found = status(this.#path);
    if (typeof found === "number") {
      throw new InputError(
        `cannot read folder "${this.#path}": ${
          describeError(-found)
        }; make it with mkdir or pass --create`,
      );
    }
    if (found.kind !== "directory") {
      throw new InputError(
        `cannot read folder "${this.#path}": not a folder but a ${
          kindName(found)
        }; leave the slash at its end out`,
      );
    }
    const names = namesIn(this.#path);
    if (typeof names === "number") {
      throw new InputError(`cannot read folder "${this.#path}": ${whyNotListed(-names)}`);
    }
    this.#begin(found.identity);
  }

  /** The watch comes before the look: what comes in between is found twice and not missed. */
  #begin(identity: string): void {
    if (this.#watch >= 0) this.#inotify.remove(this.#watch);
    this.#identity = identity;
    this.#watch = this.#inotify.add(this.#path, EVENTS);
    if (this.#watch < 0 && !this.#cannotWatch) {
      this.#cannotWatch = true;
      this.#reader.onNotice(
        this.#path,
        `cannot watch what comes into the folder: ${
          describeError(-this.#watch)
        }; looking every other second instead: see fs.inotify in sysctl -a`,
      );
    }
    this.scan();
  }

  get watch(): number {
    return this.#watch;
  }

  /**
   * @param name empty when it is of the folder itself
   * @param mask what has happened, as in inotify(7)
   */
  onEvent(name: string, mask: number): void {
    if (name === "") {
      // Who may put what into it decides about what is read.
      this.#isToScan ||= (mask & IN_ATTRIB) !== 0;
      this.look();
      return;
    }
    // A look would not tell: it is not the name by which the file was to be found.
    if (name.includes(NOT_UTF8) && (mask & GOES) !== 0) this.#refused.delete(name);
    else this.#consider(name);
  }

  /** Looks at all that is there, and at what was. */
  scan(): void {
    for (const input of this.#inputs.values()) input.lookSoon();
    const names = namesIn(this.#path);
    if (typeof names === "number") {
      this.#cannotLook(-names, `cannot list the folder: ${whyNotListed(-names)}`);
      return;
    }
    this.#isToScan = false;
    const there = new Set(names);
    for (const name of this.#refused.keys()) {
      if (!there.has(name)) this.#refused.delete(name);
    }
    for (const name of there) if (!this.#inputs.has(name)) this.#consider(name);
    if (!this.#isToScan) this.#trouble = undefined;
  }

  /** That may pass, and nothing tells when it has. */
  #cannotLook(errno: number, message: string): void {
    this.#isToScan = true;
    // A folder that has gone is found out by looking for it.
    if (this.#trouble === message || GONE.includes(errno)) return;
    this.#trouble = message;
    this.#reader.onNotice(this.#path, `${message}; trying again every other second`);
  }

  /**
   * Looks where the folder's own path leads, and whether another reader has let go of what
   * could not be opened, which nothing tells. To be called now and then.
   */
  look(): void {
    this.#findFolder();
    if (this.#isToScan && this.#identity !== undefined) this.scan();
    for (const name of this.#refusedUntil("it can be opened")) this.#consider(name);
  }

  #findFolder(): void {
    const found = status(this.#path);
    if (typeof found === "number" || found.kind !== "directory") {
      if (this.#identity !== undefined) this.#lost(found);
      if (this.#reader.create) mkdir(this.#path, FOLDER_MODE);
    } else if (found.identity !== this.#identity) {
      this.#reader.onNotice(
        this.#path,
        "another folder has this path; the named pipes in it are read now, and those that were read before to their writers' ends",
      );
      this.#begin(found.identity);
    } else if (this.#watch < 0) {
      this.#begin(found.identity);
    }
  }

  #lost(found: FileStatus | number): void {
    this.#identity = undefined;
    this.#reader.onNotice(
      this.#path,
      `${
        typeof found === "number"
          ? `the folder cannot be found any more: ${describeError(-found)}`
          : `the folder was replaced by a ${kindName(found)}`
      }; the writers of its named pipes are read to their ends${
        this.#reader.create ? "" : ", and no other can come: make it again with mkdir"
      }`,
    );
    this.#refused.clear();
    for (const input of this.#inputs.values()) input.lookSoon();
  }

  /** Nothing more is read of it. @param left there may be another pipe of that name */
  ended(name: string, left: boolean): void {
    this.#inputs.delete(name);
    if (left) this.#consider(name);
  }

  /** It is not read after all. */
  refuse(name: string, why: string): void {
    this.#inputs.delete(name);
    this.#refuse(name, why, "something happens to it");
  }

  /** It cannot be opened or read, and that may pass; `ended` is to be called as well. */
  failed(name: string, why: string): void {
    this.#refuse(name, why, "it can be opened");
  }

  /** What was in the way of others may be gone. */
  retryWaiting(): void {
    for (const name of this.#refusedUntil("another goes")) {
      if (!this.#reader.hasRoom) return;
      this.#consider(name);
    }
  }

  #refuse(name: string, why: string, until: Until): void {
    const isNews = this.#refused.get(name)?.why !== why;
    this.#refused.set(name, { why, until });
    if (isNews) this.#reader.onNotice(name, why);
  }

  #refusedUntil(until: Until): string[] {
    return [...this.#refused.keys()].filter((name) =>
      this.#refused.get(name)!.until === until
    );
  }

  #consider(name: string): void {
    const input = this.#inputs.get(name);
    if (input !== undefined) {
      input.lookSoon();
      return;
    }
    if (name.includes(NOT_UTF8)) {
      this.refuse(
        name,
        "the name is not UTF-8; if it is a named pipe, it is not read: give it another name",
      );
      return;
    }
    const path = `${this.#path.replace(/\/+$/, "")}/${name}`;
    const found = statusOfName(path);
    if (typeof found !== "number") {
      // What a link leads to is elsewhere.
      if (found.kind !== "pipe") this.#refused.delete(name);
      else this.#takeFifo(name, path, found);
    } else if (GONE.includes(-found)) {
      this.#refused.delete(name);
    } else {
      const why = describeError(-found) +
        (found === -EACCES ? "; this user must be able to enter it (chmod +x)" : "");
      this.#cannotLook(-found, `cannot look at what is in the folder: ${why}`);
    }
  }

  #takeFifo(name: string, path: string, found: FileStatus): void {
    const why = whyNotRead(name, path, found);
    if (why !== undefined) {
      this.refuse(name, why);
      return;
    }
    const refusal = this.#refused.get(name);
    const opensAtOnce = refusal?.until === "it can be opened";
    try {
      const fifo = { name, path, identity: found.identity };
      const taken = this.#reader.take(this, fifo, opensAtOnce);
      if (typeof taken === "string") {
        this.#refuse(name, taken, "another goes");
        return;
      }
      this.#inputs.set(name, taken);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      this.failed(name, error.message);
      return;
    }
    // It is read now; of others only their lanes will tell.
    if (opensAtOnce) this.#refused.delete(name);
    else if (refusal) this.#refuse(name, refusal.why, "something happens to it");
  }
}

function whyNotListed(errno: number): string {
  return describeError(errno) +
    (errno === EACCES ? "; this user must be able to list it (chmod +r)" : advice(errno));
}

/** Undefined when it may be read. */
function whyNotRead(name: string, path: string, found: FileStatus): string | undefined {
  if (!isLabel(name)) {
    return `the named pipe is not read, since its name cannot be its label: ${LABEL_RULE}; give it another name`;
  }
  const refusal = refusalInSharedFolder(path, found);
  return refusal && `the named pipe is not read: ${refusal}`;
}
