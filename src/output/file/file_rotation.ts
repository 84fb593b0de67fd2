import { TemporaryError } from "../../errors.ts";
import type { Outgoing } from "../../formats/format.ts";
import { describeError } from "../../system/errno.ts";
import { status, statusOfName } from "../../system/file_status.ts";
import type { RotationSettings, SinkNotices } from "../sink.ts";
import type { AppendedFile } from "./appended_file.ts";
import type { Ownership } from "./ownership.ts";
import { RotatedFiles, type RotatedFilesSpec } from "./rotated_files.ts";

/** How long writing goes on to a full file before rotation is tried again. */
const RETRY_MS = 5000;

/**
 * Begins a new file when the one that is written to is full, always between two
 * records. When that fails, writing goes on to the full file. Flusher thread only.
 */
export class FileRotation {
  readonly #name: string;
  readonly #path: string;
  readonly #ownership: Ownership;
  readonly #settings: RotationSettings;
  readonly #notices: SinkNotices;
  readonly #spec: RotatedFilesSpec;
  readonly #files: RotatedFiles;
  #failing = false;
  /** Monotonic. */
  #retryAtMs = 0;

  constructor(
    name: string,
    path: string,
    ownership: Ownership,
    settings: RotationSettings,
    notices: SinkNotices,
  ) {
    this.#name = name;
    this.#path = path;
    this.#ownership = ownership;
    this.#settings = settings;
    this.#notices = notices;
    this.#spec = { path, maxFiles: settings.maxFiles, shared: RotatedFiles.share() };
    this.#files = new RotatedFiles(this.#spec);
  }

  /**
   * Puts the files in order whose lock has just been taken; or says who is about to do
   * so, with the lock of the file that was written to before.
   */
  begin(): string | undefined {
    const rotator = this.#files.rotator();
    if (rotator !== undefined) return this.#ownership.heldBy(rotator);
    try {
      if (this.#files.recover()) this.#compress();
    } catch (error) {
      this.#failed(error);
    }
    return undefined;
  }

  #compress(): void {
    if (!this.#settings.compress) return;
    this.#files.requestCompression();
    this.#notices.onPlainFiles(this.#spec);
  }

  /** The file is written to no more. */
  end(file: AppendedFile): void {
    this.#files.leave(file.descriptor);
  }

  /** The piece's byte `from` is to go to a new file, unless that has just failed. */
  isDue(file: AppendedFile, piece: Outgoing, from: number): boolean {
    return this.#isFull(file, piece, from) && performance.now() >= this.#retryAtMs;
  }

  /** The file to which the piece's byte `from` goes: `file`, or a new one in its place. */
  rotateIfDue(file: AppendedFile, piece: Outgoing, from: number): AppendedFile {
    if (!this.isDue(file, piece, from)) return file;
    try {
      return this.#rotate(file);
    } catch (error) {
      this.#failed(error);
      return file;
    }
  }

  #isFull(file: AppendedFile, piece: Outgoing, from: number): boolean {
    return file.bytes > 0 && file.atRecordStart &&
      this.#wholeRecordsEnd(file, piece, from) === from;
  }

  /** Up to where the piece goes to this file, from byte `from` on; at least one byte. */
  endOf(file: AppendedFile, piece: Outgoing, from: number): number {
    const end = this.#wholeRecordsEnd(file, piece, from);
    if (end > from) return end;
    // Inside a record, or one that is longer than a file; or rotation has failed.
    return this.#isFull(file, piece, from) ? piece.length : piece.recordEnd(from);
  }

  /** Where the last record ends that the file has room for; `from` if there is none. */
  #wholeRecordsEnd(file: AppendedFile, piece: Outgoing, from: number): number {
    const room = this.#settings.maxBytes - file.bytes;
    // A device may have taken the place of the file: it has no size.
    if (piece.length - from <= room || !file.isFile) return piece.length;
    return room <= 0 ? from : Math.max(from, piece.recordStart(from + room));
  }

  /** @throws TemporaryError when it does not work; `file` is then in place as it was. */
  #rotate(file: AppendedFile): AppendedFile {
    checkOutcome(file.sync(), `cannot sync ${this.#name} to disk`);
    if (this.#settings.maxFiles === 1) {
      checkOutcome(file.empty(), `cannot empty ${this.#name}`);
      this.#succeeded();
      return file;
    }
    const found = status(file.descriptor);
    const named = statusOfName(this.#path);
    const mode = typeof found === "number" ? 0 : found.permissions & 0o777;
    const begin = () => this.#begin(mode);
    // Somebody else has moved it away: it is theirs to rotate.
    const gone = typeof named === "number" || typeof found === "number" ||
      named.identity !== found.identity;
    const next = gone ? begin() : this.#files.rotate(begin);
    this.#settle();
    file.close();
    return next;
  }

  /** The new file is in place; that an older one cannot be moved is no reason to leave it. */
  #settle(): void {
    try {
      this.#files.settle();
      this.#succeeded();
      this.#compress();
    } catch (error) {
      this.#failed(error);
    }
  }

  #begin(mode: number): AppendedFile {
    const wish = { path: this.#path, mode, followsLinks: false };
    const next = this.#ownership.open(wish);
    if (typeof next !== "string") return next;
    throw new TemporaryError(`cannot create ${this.#name} again: ${next}`);
  }

  #succeeded(): void {
    if (!this.#failing) return;
    this.#failing = false;
    this.#notices.onRotationRecovered(`${this.#name} is rotated again`);
  }

  /** Says so once, until it works again. */
  #failed(error: unknown): void {
    if (!(error instanceof TemporaryError)) throw error;
    this.#retryAtMs = performance.now() + RETRY_MS;
    if (this.#failing) return;
    this.#failing = true;
    this.#notices.onRotationFailing(
      `${error.message}; ${this.#name} grows beyond --max-size until this works`,
    );
  }
}

function checkOutcome(outcome: number, attempt: string): void {
  if (outcome < 0) throw new TemporaryError(`${attempt}: ${describeError(-outcome)}`);
}
