import { PermanentError, TemporaryError } from "../../errors.ts";
import type { Outgoing } from "../../formats/format.ts";
import { describeError } from "../../system/errno.ts";
import { status } from "../../system/file_status.ts";
import {
  type Destination,
  type RotationSettings,
  type Sink,
  type SinkKind,
  type SinkNotices,
} from "../sink.ts";
import type { Wait } from "../wait.ts";
import { AppendedFile } from "./appended_file.ts";
import { FileRotation } from "./file_rotation.ts";
import { GradualSync, MORE } from "./gradual_sync.ts";
import { NameWatch } from "./name_watch.ts";
import { Ownership } from "./ownership.ts";
import type { FileWish } from "./open_for_appending.ts";

interface FileDestination extends Destination {
  readonly kind: "file";
  readonly path: string;
  readonly rotation: RotationSettings | undefined;
}

/** Something like a URL is a mistyped destination, and not the name of a file. */
const SCHEME = /^[a-z][a-z0-9+]*:/;

/** `--output PATH` */
export const fileKind: SinkKind<FileDestination> = {
  kind: "file",
  help: "the PATH of a file to append to, created with mode 0640 and reopened on SIGHUP",
  format: "raw",
  isFile: true,
  reopens: true,
  loop: ({ path }) => loopOfFile(path),
  parse: (path, { rotation }) =>
    SCHEME.test(path) ? undefined : {
      kind: "file",
      name: `"${path}"`,
      readableAt: path,
      ...(rotation && { rotates: path }),
      path,
      rotation,
    },
  open: (destination, notices) => new FileSink(destination, notices),
};

/**
 * A disk that hangs keeps its thread; others go on beside it. What is missing will be on
 * the disk of the folder that it is to be in.
 */
function loopOfFile(path: string): string {
  for (let place = path;; place = folderOf(place)) {
    const found = status(place);
    if (typeof found !== "number") return `device ${found.device}`;
    if (place === folderOf(place)) return "no device";
  }
}

/** Itself for the root and the working folder. */
function folderOf(path: string): string {
  const folder = path.replace(/[^/]+\/*$/, "");
  return folder === "" && path !== "." ? "." : folder || path;
}

/** Readable for a group of log readers, not for everybody. */
const FILE_MODE = 0o640;

/** A file that is appended to, and made when it is missing. Flusher thread only. */
class FileSink implements Sink {
  onAppending: Sink["onAppending"];
  readonly #name: string;
  readonly #wish: FileWish;
  readonly #rotation: FileRotation | undefined;
  readonly #watch: NameWatch;
  readonly #notices: SinkNotices;
  readonly #ownership: Ownership;
  /** Undefined while another process has the lock. */
  #file: AppendedFile | undefined;
  /** From the first step of `finish` on. */
  #sync: GradualSync | undefined;
  /** Since the last time that it worked. */
  #reopenFailed = false;

  /** @throws PermanentError when the file cannot be opened for appending, or never rotated. */
  constructor({ name, path, rotation }: FileDestination, notices: SinkNotices) {
    this.#name = name;
    this.#notices = notices;
    // The new files that rotation makes are no longer those that a link leads to.
    this.#wish = { path, mode: FILE_MODE, followsLinks: rotation === undefined };
    const file = AppendedFile.open(name, this.#wish);
    if (typeof file === "string") {
      throw new PermanentError(`cannot open ${name} for appending: ${file}`);
    }
    if (rotation !== undefined && !file.isFile) {
      throw new PermanentError(
        `cannot rotate ${name}: not a file but a device; leave --max-size out`,
      );
    }
    this.#ownership = new Ownership(name, rotation ? "exclusive" : "shared", notices);
    this.#rotation = rotation &&
      new FileRotation(name, path, this.#ownership, rotation, notices);
    this.#watch = new NameWatch(path, this.#wish.followsLinks);
    // Another process may have it still, as at a restart. It is said when there are lines.
    this.#adopt(file);
  }

  /** Makes it the file that is written to; says why it must not be. */
  #adopt(file: AppendedFile): string | undefined {
    let obstacle = this.#ownership.take(file);
    if (obstacle === undefined && !this.#watch.leadsTo(file)) {
      obstacle = "it has just been rotated or replaced";
    }
    obstacle ??= this.#rotation?.begin();
    if (obstacle === undefined) {
      this.#file = file;
      this.#watch.begin(file.recordStartBytes);
    } else {
      file.close();
    }
    return obstacle;
  }

  /** @throws TemporaryError while another process has it. */
  ready(): boolean {
    this.#file ??= this.#open();
    return true;
  }

  #open(): AppendedFile {
    const file = AppendedFile.open(this.#name, this.#wish);
    const obstacle = typeof file === "string" ? file : this.#adopt(file);
    if (typeof file !== "string" && obstacle === undefined) return file;
    throw new TemporaryError(`cannot write to ${this.#name}: ${obstacle}`);
  }

  write(piece: Outgoing, from: number, wait: Wait): number {
    this.#file ??= this.#open();
    const rotation = this.#rotation;
    // What has been deleted is to be rescued, and not to be rotated.
    const isFull = rotation?.isDue(this.#file, piece, from) === true;
    if (isFull || this.#watch.isDue(this.#file)) this.#file = this.#follow(this.#file);
    if (rotation === undefined) {
      return this.#append(this.#file, piece, from, wait, piece.length);
    }
    const file = rotation.rotateIfDue(this.#file, piece, from);
    if (file !== this.#file || file.bytes === 0) this.#watch.begin(0);
    this.#file = file;
    return this.#append(file, piece, from, wait, rotation.endOf(file, piece, from));
  }

  #append(
    file: AppendedFile,
    piece: Outgoing,
    from: number,
    wait: Wait,
    to: number,
  ): number {
    this.onAppending?.(file.identity, file.bytes);
    return file.write(piece, from, wait, to);
  }

  contentFrom(identity: string, bytes: number): Uint8Array | undefined {
    return this.#file?.identity === identity ? this.#file.contentFrom(bytes) : undefined;
  }

  goOn(): void {
    this.#file?.goOn();
  }

  reopen(): void {
    // Whoever waits for it opens what has the name by then.
    if (this.#file === undefined) return;
    const next = this.#openNext(this.#file);
    if (typeof next === "string") {
      this.#reopenFailed = true;
      // That it was moved away need not be said as well.
      this.#watch.complain();
      this.#notices.onRotationFailing(
        `cannot reopen ${this.#name}: ${next}; writing goes on to the file that was open, until this works`,
      );
      return;
    }
    this.#file = next;
    if (this.#reopenFailed) this.#reopened();
  }

  #reopened(): void {
    this.#reopenFailed = false;
    this.#notices.onRotationRecovered(`${this.#name} is open again`);
  }

  /** Opens what has the name now, for writing to go on there; says why it cannot. */
  #openNext(file: AppendedFile): AppendedFile | string {
    const found = AppendedFile.open(this.#name, this.#wish);
    if (typeof found === "string") return found;
    const same = found.identity === file.identity;
    const obstacle = same ? undefined : this.#ownership.take(found);
    if (same || obstacle !== undefined) found.close();
    if (same) return file;
    if (obstacle !== undefined) return obstacle;
    this.#watch.begin(found.recordStartBytes);
    file.carryTo(found);
    file.close();
    return found;
  }

  /** The file that has the name, so that what is written from now on can be found. */
  #follow(file: AppendedFile): AppendedFile {
    switch (this.#watch.look(file)) {
      case "here":
        return file;
      case "moved":
        return this.#followMoved(file);
      case "deleted":
        return this.#replaceDeleted(file);
    }
  }

  #followMoved(file: AppendedFile): AppendedFile {
    const next = this.#openNext(file);
    if (typeof next !== "string") {
      if (this.#reopenFailed) this.#reopened();
      else {this.#notices.onNotice(
          `${this.#name} was moved away without SIGHUP; writing goes on to the file that has its name now`,
        );}
      return next;
    }
    if (this.#watch.complain()) {
      this.#notices.onNotice(
        `${this.#name} was moved away without SIGHUP, and it cannot be opened again: ${next}; writing goes on to the file that was moved`,
      );
    }
    return file;
  }

  /** @throws TemporaryError when it cannot: what is written would be gone. */
  #replaceDeleted(file: AppendedFile): AppendedFile {
    const next = this.#ownership.open(this.#wish);
    if (typeof next === "string") {
      throw new TemporaryError(
        `cannot write to ${this.#name}: it was deleted, and cannot be created again: ${next}`,
      );
    }
    const { recordStartBytes } = next;
    const carried = file.carryTo(next, this.#watch.seenBytes);
    file.close();
    this.#watch.begin(recordStartBytes);
    this.#notices.onNotice(
      `${this.#name} was deleted, and has been created again${
        carried ? "" : "; what was written to it in its last second is gone"
      }`,
    );
    return next;
  }

  /**
   * Tries once: after a sync that has failed Linux takes the pages for written, and
   * the next one would succeed without them.
   */
  finish(wait: Wait): boolean {
    // There were no lines for it.
    if (this.#file === undefined) return true;
    if (this.#sync === undefined && this.#watch.isUnsure(this.#file)) {
      this.#file = this.#follow(this.#file);
    }
    this.#sync ??= new GradualSync();
    const outcome = this.#file.isFile ? this.#sync.step(this.#file.descriptor) : 0;
    if (outcome === MORE) {
      // As soon as others have had their turn.
      wait.until(0);
      return false;
    }
    // Lasting or not: the next program that writes to it needs the lock.
    if (this.#rotation === undefined) this.#file.close();
    else this.#rotation.end(this.#file);
    if (outcome < 0) {
      throw new PermanentError(
        `cannot make ${this.#name} lasting: ${
          describeError(-outcome)
        }; what was written last may be missing from it after a crash: look at the disk`,
      );
    }
    return true;
  }
}
