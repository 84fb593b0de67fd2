import { ENOENT } from "../../system/errno.ts";
import { type FileStatus, status, statusOfName } from "../../system/file_status.ts";
import type { AppendedFile } from "./appended_file.ts";

/** A look costs a microsecond; so soon a change is noticed while something is written. */
const LOOK_MS = 1000;
/** Nor is more than this written between two looks: it can be moved if it has to be. */
const LOOK_BYTES = 4 * 1024 * 1024;

/** What has become of the file that is written to. */
export type NameState =
  | "here"
  /** It has another name, or one that is out of reach. */
  | "moved"
  /** It has no name any more, and nobody can ever read what is written to it. */
  | "deleted";

/**
 * Looks whether the name of an output file still leads to the file that is open: log
 * files are deleted by hand, and moved by programs that do not say so with SIGHUP. Only
 * on the thread of its output loop.
 */
export class NameWatch {
  readonly #path: string;
  readonly #followsLinks: boolean;
  #nextLookMs = 0;
  #seenBytes = 0;
  #wasMissing = false;
  #complained = false;

  constructor(path: string, followsLinks: boolean) {
    this.#path = path;
    this.#followsLinks = followsLinks;
  }

  /** How large the file was, without an unfinished record, when all was well. */
  get seenBytes(): number {
    return this.#seenBytes;
  }

  /** A file is written to from now on, of which so much is known to have its name. */
  begin(seenBytes: number): void {
    this.#nextLookMs = 0;
    this.#seenBytes = seenBytes;
    this.#wasMissing = this.#complained = false;
  }

  /** It is time for a look, before something is written. */
  isDue(file: AppendedFile): boolean {
    return performance.now() >= this.#nextLookMs ||
      file.bytes - this.#seenBytes > LOOK_BYTES;
  }

  /** Something was written since the last look. */
  isUnsure(file: AppendedFile): boolean {
    return file.recordStartBytes !== this.#seenBytes;
  }

  /** True where the name leads to this very file, at this moment. */
  leadsTo(file: AppendedFile): boolean {
    const named = this.#named();
    return typeof named !== "number" && named.identity === file.identity;
  }

  #named(): FileStatus | number {
    return this.#followsLinks ? status(this.#path) : statusOfName(this.#path);
  }

  look(file: AppendedFile): NameState {
    this.#nextLookMs = performance.now() + LOOK_MS;
    if (!file.isFile) return "here";
    if (this.leadsTo(file)) {
      this.#seenBytes = file.recordStartBytes;
      this.#wasMissing = this.#complained = false;
      return "here";
    }
    const own = status(file.descriptor);
    if (typeof own !== "number" && own.links === 0) {
      // Until another file has the name, nothing may be written: the next try looks, too.
      this.#nextLookMs = 0;
      return "deleted";
    }
    // Whoever has moved it may be about to make the next one, or to send SIGHUP.
    if (this.#named() === -ENOENT && !this.#wasMissing) {
      this.#wasMissing = true;
      return "here";
    }
    return "moved";
  }

  /** True once, until all is well again. */
  complain(): boolean {
    if (this.#complained) return false;
    this.#complained = true;
    return true;
  }
}
