import { TemporaryError } from "../../errors.ts";
import { Lock } from "../../threads/lock.ts";
import {
  close,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_RDONLY,
  open,
} from "../../system/descriptors.ts";
import { describeError, EAGAIN, EISDIR, ENOENT } from "../../system/errno.ts";
import { closeUnlocked, lockFile, lockHolder } from "../../system/file_locks.ts";
import {
  type FileKind,
  type FileStatus,
  status,
  statusOfName,
} from "../../system/file_status.ts";
import { rename, unlink } from "../../system/names.ts";

/** Which files they are, in a form that can be sent to another thread. */
export interface RotatedFilesSpec {
  /** The file that is written to. */
  readonly path: string;
  /** How many files there may be, the one that is written to among them; at least 2. */
  readonly maxFiles: number;
  /** What the two threads share: see `RotatedFiles.share`. */
  readonly shared: SharedArrayBuffer;
}

/** Words of the shared memory; the first is that of the `Lock`. */
const COMPRESSING = 1;
/** A descriptor, plus one: the last file, whose lock the compressor still needs. */
const LEFT = 2;
const SHARED_WORDS = 3;

/** A rotated file that is open for reading, whatever its number may be by now. */
export interface PlainFile {
  readonly descriptor: number;
  readonly status: FileStatus;
}

/** The calls that change names, as in names.ts; tests put an end of the program among them. */
export interface NameChanges {
  rename(from: string, to: string): number;
  unlink(path: string): number;
}

/** One of them: `app.log.3.gz` has the number 3. */
interface RotatedFile {
  readonly number: number;
  readonly extension: string;
}

const COMPRESSED = ".gz";
/** Far more than a kill leaves, or a person who removes some files. */
const MAX_GAP = 16;
/** Far more than a few renames take where a file system works at all. */
const PATIENCE_MS = 10_000;

/**
 * The files that were once written to, numbered from the newest to the oldest as
 * Docker does it, each plain or compressed:
 *
 *     app.log            is written to
 *     app.log.0          for a moment: has been written to, and the others have yet to move
 *     app.log.1
 *     app.log.2.gz
 *     app.log.3.gz       the oldest, with a `maxFiles` of 4
 *
 * A program that is killed between any two system calls leaves every file whole
 * under one of these names, and their order is that of their numbers: what can be
 * left is a gap in the numbers, a file with the number 0, or one file too many, and
 * this is put right when it is next met. Numbers that something else has, a folder or a
 * link, are passed over. A plain file is removed only when its compressed form is
 * complete and has got its name; where both are found, the plain one is as good, and
 * stays.
 *
 * The flusher thread rotates and the compressor thread compresses; names change
 * only under a lock, and what a thread has open it knows by its inode.
 */
export class RotatedFiles {
  readonly #path: string;
  readonly #maxFiles: number;
  readonly #lock: Lock;
  readonly #words: Int32Array;
  readonly #names: NameChanges;

  constructor(
    { path, maxFiles, shared }: RotatedFilesSpec,
    names: NameChanges = { rename, unlink },
  ) {
    this.#names = names;
    this.#path = path;
    this.#maxFiles = maxFiles;
    this.#lock = Lock.attach(shared);
    this.#words = new Int32Array(shared);
  }

  static share(): SharedArrayBuffer {
    return new SharedArrayBuffer(SHARED_WORDS * Int32Array.BYTES_PER_ELEMENT);
  }

  /** Where a compressed file grows until it is complete. */
  get unfinishedPath(): string {
    return `${this.#path}.compressing`;
  }

  /**
   * Puts in order what a killed program has left.
   *
   * @returns whether there are plain files.
   * @throws TemporaryError when a name cannot be changed.
   */
  recover(): boolean {
    return this.#locked(() => {
      this.#remove(this.unfinishedPath);
      this.#settle(true);
      return this.#look().files.some(({ extension }) => extension === "");
    });
  }

  /**
   * Takes the name from the file that is written to, and lets `begin` make a new one.
   * The other files are as they were until `settle`, so that nothing is moved or removed
   * where this file cannot be. If `begin` throws, the file has its name again.
   *
   * @throws TemporaryError when a name cannot be changed; what `begin` throws.
   */
  rotate<T>(begin: () => T): T {
    return this.#locked(() => {
      // One is still there only if it could not be moved, or somebody has put it there.
      if (this.#kindOf(this.#waiting) === "file") this.#settle();
      this.#rename(this.#path, this.#waiting);
      try {
        return begin();
      } catch (error) {
        if (this.#kindOf(this.#path) === undefined) {
          this.#rename(this.#waiting, this.#path);
        }
        throw error;
      }
    });
  }

  /**
   * Gives the file that waits the number 1, after the others have moved up, and then
   * removes those that are too many.
   *
   * @throws TemporaryError when a name cannot be changed.
   */
  settle(): void {
    this.#locked(() => this.#settle());
  }

  /**
   * Opens the newest file that is not compressed. The caller closes it.
   *
   * @throws TemporaryError when it cannot be opened.
   */
  openPlain(): PlainFile | undefined {
    return this.#locked(() => {
      // It was not asked for since all were compressed: they may be another's by now.
      if (this.#words[COMPRESSING] === 0) return undefined;
      for (const { number, extension } of this.#look().files) {
        if (extension !== "") continue;
        const name = this.#nameOf(number, "");
        // What a link leads to is no file of ours, and not for everybody to read; and a
        // pipe that has got the name just now must not keep the thread.
        const descriptor = open(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
        if (descriptor < 0) throw failure("open", name, descriptor);
        const found = status(descriptor);
        if (typeof found !== "number" && found.kind === "file") {
          return { descriptor, status: found };
        }
        close(descriptor);
        if (typeof found === "number") throw failure("look at", name, found);
      }
      this.#endCompression();
      return undefined;
    });
  }

  /** From now on, and until `openPlain` finds none, there may be plain files. */
  requestCompression(): void {
    this.#locked(() => this.#words[COMPRESSING] = 1);
  }

  /** The compressor has given up until the next request. */
  endCompression(): void {
    this.#locked(() => this.#endCompression());
  }

  #endCompression(): void {
    this.#words[COMPRESSING] = 0;
    if (this.#words[LEFT] !== 0) closeUnlocked(this.#words[LEFT]! - 1);
    this.#words[LEFT] = 0;
  }

  /**
   * Closes the file that was written to, and with it gives up the lock that keeps others
   * from these files, as soon as the compressor is done with them.
   */
  leave(descriptor: number): void {
    this.#locked(() => {
      if (this.#words[COMPRESSING] === 0) closeUnlocked(descriptor);
      else this.#words[LEFT] = descriptor + 1;
    });
  }

  /** Who is in the middle of a rotation, if it is another process. */
  rotator(): string | undefined {
    const descriptor = open(this.#waiting, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (descriptor < 0) return undefined;
    const held = lockFile(descriptor, "shared") === -EAGAIN;
    const holder = held ? lockHolder(descriptor) : undefined;
    close(descriptor);
    return holder;
  }

  /**
   * Puts the complete compressed form, which is at `unfinishedPath`, in the
   * place of the plain file, unless that has become too old in the meantime.
   *
   * @throws TemporaryError when a name cannot be changed.
   */
  replaceByCompressed({ status: { identity } }: PlainFile): void {
    this.#locked(() => {
      for (const { number } of this.#look().files) {
        const plain = this.#nameOf(number, "");
        const status = statusOfName(plain);
        if (typeof status === "number" || status.identity !== identity) continue;
        this.#rename(this.unfinishedPath, this.#nameOf(number, COMPRESSED));
        this.#remove(plain);
        return;
      }
      this.#remove(this.unfinishedPath);
    });
  }

  /** What has been rotated, and waits for the number 1. */
  get #waiting(): string {
    return this.#nameOf(0, "");
  }

  /**
   * Renumbers the files, the one that waits among them, from 1 on without a gap: first
   * those that move down, then those that move up, beginning with the oldest, so that no
   * file gets a name that another one has.
   */
  #settle(everywhere = false): void {
    const { files, taken } = this.#look(everywhere);
    const oneWaits = this.#kindOf(this.#waiting) === "file";
    if (oneWaits) files.unshift({ number: 0, extension: "" });
    const moves: { file: RotatedFile; to: number }[] = [];
    let to = 0;
    for (const file of files) {
      do to++; while (taken.has(to));
      moves.push({ file, to });
    }
    for (const { file, to } of moves) if (to < file.number) this.#renumber(file, to);
    moves.reverse();
    for (const { file, to } of moves) if (to > file.number) this.#renumber(file, to);
    if (!oneWaits) return;
    for (const { file, to } of moves.slice(0, -(this.#maxFiles - 1))) {
      this.#remove(this.#nameOf(to, file.extension));
    }
  }

  /**
   * The rotated files, from the newest to the oldest, and the numbers that something else
   * has. After MAX_GAP numbers that nothing has, none is looked for, unless it is to be
   * looked everywhere: then not before `maxFiles`.
   */
  #look(everywhere = false): { files: RotatedFile[]; taken: Set<number> } {
    const files: RotatedFile[] = [];
    const taken = new Set<number>();
    const least = everywhere ? this.#maxFiles : 0;
    for (let number = 1, gap = 0; number < least || gap < MAX_GAP; number++) {
      const plain = this.#kindOf(this.#nameOf(number, ""));
      const compressed = this.#kindOf(this.#nameOf(number, COMPRESSED));
      if (plain === "file" && compressed === "file") {
        this.#remove(this.#nameOf(number, COMPRESSED));
      }
      gap = plain === undefined && compressed === undefined ? gap + 1 : 0;
      if (plain === "file") files.push({ number, extension: "" });
      else if (compressed === "file") files.push({ number, extension: COMPRESSED });
      // Folders, pipes and links are somebody else's, whatever they are called.
      if (isForeign(plain) || isForeign(compressed)) taken.add(number);
    }
    return { files, taken };
  }

  #renumber({ number, extension }: RotatedFile, to: number): void {
    this.#rename(this.#nameOf(number, extension), this.#nameOf(to, extension));
  }

  #nameOf(number: number, extension: string): string {
    return `${this.#path}.${number}${extension}`;
  }

  #kindOf(name: string): FileKind | undefined {
    const found = statusOfName(name);
    if (typeof found !== "number") return found.kind;
    if (found === -ENOENT) return undefined;
    throw failure("look at", name, found);
  }

  #rename(from: string, to: string): void {
    const outcome = this.#names.rename(from, to);
    if (outcome < 0) throw failure("rename", from, outcome, to);
  }

  #remove(name: string): void {
    const outcome = this.#names.unlink(name);
    if (outcome < 0 && outcome !== -ENOENT) throw failure("remove", name, outcome);
  }

  #locked<T>(work: () => T): T {
    if (!this.#lock.acquire(PATIENCE_MS)) {
      throw new TemporaryError(
        `cannot rotate "${this.#path}": another thread has been at it for ${PATIENCE_MS} ms`,
      );
    }
    try {
      return work();
    } finally {
      this.#lock.release();
    }
  }
}

function isForeign(kind: FileKind | undefined): boolean {
  return kind !== undefined && kind !== "file";
}

function failure(
  verb: string,
  name: string,
  outcome: number,
  newName?: string,
): TemporaryError {
  const advice = outcome === -EISDIR
    ? `move the folder "${newName ?? name}" away`
    : "its folder must be writable for this user";
  return new TemporaryError(
    `cannot ${verb} "${name}"${newName === undefined ? "" : ` to "${newName}"`}: ${
      describeError(-outcome)
    }; ${advice}`,
  );
}
