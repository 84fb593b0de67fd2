import { SinkFailure } from "../../errors.ts";
import { Lock } from "../../threads/lock.ts";
import { close, O_NOFOLLOW, O_RDONLY, open } from "../../system/descriptors.ts";
import { describeError, ENOENT } from "../../system/errno.ts";
import { type FileStatus, status, statusOfName } from "../../system/file_status.ts";
import { rename, unlink } from "../../system/names.ts";

/** Which files they are, in a form that can be sent to another thread. */
export interface RotatedFilesSpec {
  /** The file that is written to. */
  readonly path: string;
  /** How many files there may be, the one that is written to among them; at least 2. */
  readonly maxFiles: number;
  /** The memory of a `Lock`. */
  readonly lock: SharedArrayBuffer;
}

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

const COMPRESSED = ".gz";
/** Far more than a few renames take where a file system works at all. */
const PATIENCE_MS = 10_000;

/**
 * The files that were once written to, numbered from the newest to the oldest as
 * Docker does it, each plain or compressed:
 *
 *     app.log            is written to
 *     app.log.1
 *     app.log.2.gz
 *     app.log.3.gz       the oldest, with a `maxFiles` of 4
 *
 * A program that is killed between any two system calls leaves every file whole
 * under one of these names, and their order is that of their numbers: renames
 * begin with the oldest file, so that all that can be left is a gap in the
 * numbers, which is closed when it is next met. A plain file is removed only when
 * its compressed form is complete and has got its name; where both are found,
 * the plain one is as good, and stays.
 *
 * The flusher thread rotates and the compressor thread compresses; names change
 * only under a lock, and what a thread has open it knows by its inode.
 */
export class RotatedFiles {
  readonly #path: string;
  readonly #maxFiles: number;
  readonly #lock: Lock;
  readonly #names: NameChanges;

  constructor(
    { path, maxFiles, lock }: RotatedFilesSpec,
    names: NameChanges = { rename, unlink },
  ) {
    this.#names = names;
    this.#path = path;
    this.#maxFiles = maxFiles;
    this.#lock = Lock.attach(lock);
  }

  /** Where a compressed file grows until it is complete. */
  get unfinishedPath(): string {
    return `${this.#path}.compressing`;
  }

  /**
   * Puts in order what a killed program has left.
   *
   * @returns whether there are plain files.
   * @throws SinkFailure when a name cannot be changed.
   */
  recover(): boolean {
    return this.#locked(() => {
      this.#remove(this.unfinishedPath);
      const count = this.#closeGaps();
      for (let number = 1; number <= count; number++) {
        if (this.#extensionOf(number) === "") return true;
      }
      return false;
    });
  }

  /**
   * Gives the file that is written to the number 1, after the others have moved up
   * and the oldest was removed, and lets `begin` make a new one. If `begin` throws,
   * the file has its name again.
   *
   * @throws SinkFailure when a name cannot be changed; what `begin` throws.
   */
  rotate<T>(begin: () => T): T {
    return this.#locked(() => {
      let count = this.#closeGaps();
      // There are more of them after --max-files was lowered.
      while (this.#extensionOf(count + 1) !== undefined) count++;
      for (; count >= this.#maxFiles - 1; count--) {
        this.#remove(this.#nameOf(count, this.#extensionOf(count)!));
      }
      for (let number = count; number >= 1; number--) this.#renumber(number, number + 1);
      this.#rename(this.#path, this.#nameOf(1, ""));
      try {
        return begin();
      } catch (error) {
        this.#rename(this.#nameOf(1, ""), this.#path);
        throw error;
      }
    });
  }

  /**
   * Opens the newest file that is not compressed. The caller closes it.
   *
   * @throws SinkFailure when it cannot be opened.
   */
  openPlain(): PlainFile | undefined {
    return this.#locked(() => {
      for (let number = 1; number < this.#maxFiles; number++) {
        if (this.#extensionOf(number) !== "") continue;
        const name = this.#nameOf(number, "");
        // What a link leads to is no file of ours, and not for everybody to read.
        const descriptor = open(name, O_RDONLY | O_NOFOLLOW);
        if (descriptor < 0) throw failure("open", name, descriptor);
        const found = status(descriptor);
        if (typeof found !== "number") return { descriptor, status: found };
        close(descriptor);
        throw failure("look at", name, found);
      }
      return undefined;
    });
  }

  /**
   * Puts the complete compressed form, which stands at `unfinishedPath`, in the
   * place of the plain file, unless that has become too old in the meantime.
   *
   * @throws SinkFailure when a name cannot be changed.
   */
  replaceByCompressed({ status: { identity } }: PlainFile): void {
    this.#locked(() => {
      for (let number = 1; number < this.#maxFiles; number++) {
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

  /** Numbers the files anew, from 1 on without a gap; returns how many there are. */
  #closeGaps(): number {
    let count = 0;
    for (let number = 1; number < this.#maxFiles; number++) {
      if (this.#extensionOf(number) === undefined) continue;
      count++;
      if (count < number) this.#renumber(number, count);
    }
    return count;
  }

  #renumber(from: number, to: number): void {
    const extension = this.#extensionOf(from)!;
    this.#rename(this.#nameOf(from, extension), this.#nameOf(to, extension));
  }

  /** What the name of that file ends in after the number; undefined if there is none. */
  #extensionOf(number: number): string | undefined {
    const compressed = this.#nameOf(number, COMPRESSED);
    if (this.#exists(this.#nameOf(number, ""))) {
      if (this.#exists(compressed)) this.#remove(compressed);
      return "";
    }
    return this.#exists(compressed) ? COMPRESSED : undefined;
  }

  #nameOf(number: number, extension: string): string {
    return `${this.#path}.${number}${extension}`;
  }

  #exists(name: string): boolean {
    const found = statusOfName(name);
    if (typeof found !== "number") return true;
    if (found === -ENOENT) return false;
    throw failure("look at", name, found);
  }

  #rename(from: string, to: string): void {
    const outcome = this.#names.rename(from, to);
    if (outcome < 0) throw failure("rename", from, outcome);
  }

  #remove(name: string): void {
    const outcome = this.#names.unlink(name);
    if (outcome < 0 && outcome !== -ENOENT) throw failure("remove", name, outcome);
  }

  #locked<T>(work: () => T): T {
    if (!this.#lock.acquire(PATIENCE_MS)) {
      throw new SinkFailure(
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

function failure(verb: string, name: string, outcome: number): SinkFailure {
  return new SinkFailure(
    `cannot ${verb} "${name}": ${
      describeError(-outcome)
    }; its folder must be writable for this user`,
  );
}
