import { SinkError, SinkFailure } from "../../errors.ts";
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
import { NameWatch } from "./name_watch.ts";
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
  reopens: true,
  loop: ({ path }) => loopOfFile(path),
  parse: (path, { rotation }) =>
    SCHEME.test(path)
      ? undefined
      : { kind: "file", name: `"${path}"`, readableAt: path, path, rotation },
  open: (destination, notices) => new FileSink(destination, notices),
};

/** A disk that hangs keeps its thread; others go on beside it. */
function loopOfFile(path: string): string {
  const found = status(path);
  const folder = status(path.replace(/[^/]*$/, "") || ".");
  const there = typeof found === "number" ? folder : found;
  return typeof there === "number" ? "no device" : `device ${there.device}`;
}

/** Readable for a group of log readers, not for everybody. */
const FILE_MODE = 0o640;

/** A file that is appended to, and made when it is missing. Flusher thread only. */
class FileSink implements Sink {
  readonly #name: string;
  readonly #wish: FileWish;
  readonly #rotation: FileRotation | undefined;
  readonly #watch: NameWatch;
  readonly #notices: SinkNotices;
  #file: AppendedFile;
  /** Since the last time that it worked. */
  #reopenFailed = false;

  /** @throws SinkError when the file cannot be opened for appending, or never rotated. */
  constructor({ name, path, rotation }: FileDestination, notices: SinkNotices) {
    this.#name = name;
    this.#notices = notices;
    // The files that rotation makes anew are no longer those that a link leads to.
    this.#wish = { path, mode: FILE_MODE, followsLinks: rotation === undefined };
    const file = AppendedFile.open(name, this.#wish);
    if (typeof file === "string") {
      throw new SinkError(`cannot open ${name} for appending: ${file}`);
    }
    this.#file = file;
    this.#watch = new NameWatch(path, this.#wish.followsLinks, file.recordStartBytes);
    this.#rotation = rotation && new FileRotation(name, path, file, rotation, notices);
  }

  write(piece: Outgoing, from: number, wait: Wait): number {
    if (this.#watch.isDue(this.#file)) this.#follow();
    const rotation = this.#rotation;
    if (rotation === undefined) return this.#file.write(piece, from, wait, piece.length);
    const file = rotation.rotateIfDue(this.#file, piece, from);
    if (file !== this.#file || file.bytes === 0) this.#watch.begin(0);
    this.#file = file;
    return this.#file.write(piece, from, wait, rotation.end(this.#file, piece, from));
  }

  reopen(): void {
    const why = this.#openNext();
    if (why !== undefined) {
      this.#reopenFailed = true;
      this.#notices.onRotationFailing(
        `cannot reopen ${this.#name}: ${why}; writing goes on to the file that was open, until the next SIGHUP`,
      );
    } else if (this.#reopenFailed) {
      this.#reopenFailed = false;
      this.#notices.onRotationRecovered(`${this.#name} is open anew`);
    }
  }

  /** Opens what has the name now, and lets writing go on there; says why it cannot. */
  #openNext(): string | undefined {
    const next = AppendedFile.open(this.#name, this.#wish);
    if (typeof next === "string") return next;
    if (next.identity === this.#file.identity) {
      next.close();
      return undefined;
    }
    const { recordStartBytes } = next;
    this.#file.carryTo(next);
    this.#replaceBy(next, recordStartBytes);
    return undefined;
  }

  #replaceBy(next: AppendedFile, seenBytes: number): void {
    this.#file.close();
    this.#file = next;
    this.#watch.begin(seenBytes);
  }

  /** Sees to it that what is written from now on can be found under the name. */
  #follow(): void {
    switch (this.#watch.look(this.#file)) {
      case "moved":
        this.#followMoved();
        break;
      case "deleted":
        this.#replaceDeleted();
    }
  }

  #followMoved(): void {
    const why = this.#openNext();
    if (why === undefined) {
      this.#notices.onNotice(
        `${this.#name} was moved away without SIGHUP; writing goes on to the file that has its name now`,
      );
    } else if (this.#watch.complain()) {
      this.#notices.onNotice(
        `${this.#name} was moved away without SIGHUP, and it cannot be opened again: ${why}; writing goes on to the file that was moved`,
      );
    }
  }

  /** @throws SinkFailure when it cannot: what is written would be gone. */
  #replaceDeleted(): void {
    const next = AppendedFile.open(this.#name, this.#wish);
    if (typeof next === "string") {
      throw new SinkFailure(
        `cannot write to ${this.#name}: it was deleted, and cannot be created again: ${next}`,
      );
    }
    const { recordStartBytes } = next;
    const carried = this.#file.carryTo(next, this.#watch.seenBytes);
    this.#replaceBy(next, recordStartBytes);
    this.#notices.onNotice(
      `${this.#name} was deleted, and has been created again${
        carried ? "" : "; what was written to it in its last second is gone"
      }`,
    );
  }

  /**
   * Tries once: after a sync that has failed Linux takes the pages for written, and
   * the next one would succeed without them.
   */
  finish(): boolean {
    if (this.#watch.isUnsure(this.#file)) this.#follow();
    const outcome = this.#file.sync();
    if (outcome < 0) {
      throw new SinkError(
        `cannot make ${this.#name} lasting: ${
          describeError(-outcome)
        }; what was written last may be missing from it after a crash: look at the disk`,
      );
    }
    this.#file.close();
    return true;
  }
}
