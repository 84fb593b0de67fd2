import { describeError, EAGAIN } from "../../system/errno.ts";
import { lockFile, lockHolder, type LockKind } from "../../system/file_locks.ts";
import type { SinkNotices } from "../sink.ts";
import { AppendedFile } from "./appended_file.ts";
import type { FileWish } from "./open_for_appending.ts";

/**
 * Opens the files under one name, and takes their locks. A rotated file has one writer,
 * since two would rename and compress it under each other's hands; any number may append
 * to one that none of them rotates. The lock is that of the file and goes with it when it
 * is renamed, so that it is held for each new one before the old one is given up.
 */
export class Ownership {
  readonly #name: string;
  readonly #kind: LockKind;
  readonly #notices: SinkNotices;
  #cannotLock = false;

  /** @param kind exclusive where files are rotated */
  constructor(name: string, kind: LockKind, notices: SinkNotices) {
    this.#name = name;
    this.#kind = kind;
    this.#notices = notices;
  }

  /** The file under the name, with its lock, or why there is none to be had now. */
  open(wish: FileWish): AppendedFile | string {
    const file = AppendedFile.open(this.#name, wish);
    if (typeof file === "string") return file;
    const obstacle = this.take(file);
    if (obstacle === undefined) return file;
    file.close();
    return obstacle;
  }

  /** Takes the lock of an open file; says who has it. */
  take(file: AppendedFile): string | undefined {
    if (!file.isFile) return undefined;
    const outcome = lockFile(file.descriptor, this.#kind);
    if (outcome >= 0) return undefined;
    if (outcome === -EAGAIN) return this.heldBy(lockHolder(file.descriptor));
    // Some file systems have no locks. What worked without must not end for that.
    if (!this.#cannotLock) {
      this.#notices.onNotice(
        `cannot lock ${this.#name}: ${
          describeError(-outcome)
        }; see to it that no other program rotates it`,
      );
    }
    this.#cannotLock = true;
    return undefined;
  }

  heldBy(holder: string): string {
    return this.#kind === "exclusive"
      ? `${holder} writes to it, and a file that is rotated has one writer only; end that one, or name another file`
      : `${holder} rotates it, and such a file has one writer only; end that one, or name another file`;
  }
}
