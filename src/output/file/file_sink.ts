import { SinkError } from "../../errors.ts";
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
    this.#rotation = rotation && new FileRotation(name, path, file, rotation, notices);
  }

  write(piece: Outgoing, from: number, wait: Wait): number {
    const rotation = this.#rotation;
    if (rotation === undefined) return this.#file.write(piece, from, wait, piece.length);
    this.#file = rotation.rotateIfDue(this.#file, piece, from);
    return this.#file.write(piece, from, wait, rotation.end(this.#file, piece, from));
  }

  reopen(): void {
    const next = AppendedFile.open(this.#name, this.#wish);
    if (typeof next === "string") {
      this.#reopenFailed = true;
      this.#notices.onRotationFailing(
        `cannot reopen ${this.#name}: ${next}; writing goes on to the file that was open, until the next SIGHUP`,
      );
      return;
    }
    if (this.#reopenFailed) {
      this.#reopenFailed = false;
      this.#notices.onRotationRecovered(`${this.#name} is open anew`);
    }
    this.#file.carryRecordTo(next);
    this.#file.close();
    this.#file = next;
  }

  /**
   * Tries once: after a sync that has failed Linux takes the pages for written, and
   * the next one would succeed without them.
   */
  finish(): boolean {
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
