import { KeepError } from "../errors.ts";
import {
  close,
  O_CREAT,
  O_EXCL,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_RDONLY,
  O_RDWR,
  open,
  write,
} from "../system/descriptors.ts";
import { describeError, EAGAIN, EDQUOT, EEXIST, EFBIG, ENOSPC } from "../system/errno.ts";
import { lockFile, lockHolder } from "../system/file_locks.ts";
import { kindName, status, statusOfName } from "../system/file_status.ts";
import { fsync, readAt } from "../system/files.ts";
import { isInMemory } from "../system/file_system.ts";
import { namesIn, openFolder, pathIn } from "../system/folders.ts";
import { mapFile, reserve } from "../system/mapped_file.ts";
import { addressOf, addressOfMemory } from "../system/memory.ts";
import { link, mkdir, rename, unlink } from "../system/names.ts";
import { ownUser } from "../system/process.ts";
import { formatSize } from "../units.ts";
import {
  decodeHeader,
  encodeHeader,
  KEPT_HEADER_BYTES,
  type KeptHeader,
} from "./kept_header.ts";
import { keptBytes, type Lane } from "./lane.ts";

/** Nobody but this user has any business in it: the lines may be secret. */
const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;
const WRITABLE_BY_OTHERS = 0o022;
/** A file that is kept, and one that is not ready yet and holds nothing. */
const SUFFIX = ".ring";
const UNREADY_SUFFIX = ".ring.new";
/** How much of the run's name is in a file's. */
const RUN_DIGITS = 8;

/** A file that an earlier run has left, open. */
export interface LeftFile {
  readonly name: string;
  readonly header: KeptHeader;
  readonly descriptor: number;
  readonly bytes: number;
}

/**
 * The folder of `--keep`: one process has it at a time, which makes a file there for the
 * lane of each of its inputs, and finds those that another has left. Control thread only.
 */
export class KeptFolder {
  readonly #path: string;
  readonly #descriptor: number;
  /** What is written to it waits for no disk, and is gone when the machine restarts. */
  readonly isInMemory: boolean;

  private constructor(path: string, descriptor: number) {
    this.#path = path;
    this.#descriptor = descriptor;
    this.isInMemory = isInMemory(pathIn(descriptor, "."));
  }

  /** Makes the folder if it is missing. @throws KeepError */
  static open(path: string): KeptFolder {
    const made = mkdir(path, FOLDER_MODE);
    if (made < 0 && made !== -EEXIST) {
      throw new KeepError(
        `cannot make folder "${path}" for --keep: ${
          describeError(-made)
        }; what it is in must exist and be writable`,
      );
    }
    const descriptor = openFolder(path);
    const found = status(descriptor);
    if (typeof found === "number") {
      throw new KeepError(
        `cannot open "${path}" for --keep: ${
          describeError(-descriptor)
        }; name a folder of this user's, and not a symbolic link`,
      );
    }
    if (found.owner !== ownUser() || (found.permissions & WRITABLE_BY_OTHERS) !== 0) {
      throw new KeepError(
        `cannot keep anything in "${path}": others may write to it, and could end this program by that; name a folder that belongs to this user and has mode 0700`,
      );
    }
    const locked = lockFile(descriptor, "exclusive");
    if (locked === -EAGAIN) {
      throw new KeepError(
        `cannot keep anything in "${path}": ${
          lockHolder(descriptor)
        } does already; give each program a folder of its own`,
      );
    }
    if (locked < 0) {
      throw new KeepError(`cannot lock "${path}": ${describeError(-locked)}`);
    }
    return new KeptFolder(path, descriptor);
  }

  /** For messages. */
  pathOf(name: string): string {
    return `${this.#path.replace(/\/+$/, "")}/${name}`;
  }

  /**
   * What earlier runs have left, the oldest first.
   *
   * @param onBlank for a file of which a disk has nothing: the machine has failed too soon
   * @throws KeepError for a file that this program does not know how to read
   */
  left(onBlank: (name: string) => void): LeftFile[] {
    const names = namesIn(pathIn(this.#descriptor, "."));
    if (typeof names === "number") {
      throw new KeepError(`cannot list "${this.#path}": ${describeError(-names)}`);
    }
    for (const name of names) if (name.endsWith(UNREADY_SUFFIX)) this.remove(name);
    return names.filter((name) => name.endsWith(SUFFIX))
      .flatMap((name) => {
        const file = openLeft(pathIn(this.#descriptor, name), this.pathOf(name), O_RDWR);
        if (file !== undefined) return [{ name, ...file }];
        onBlank(name);
        return [];
      })
      .sort((one, other) => one.header.startMs - other.header.startMs);
  }

  nameFor({ label, run }: Pick<KeptHeader, "label" | "run">): string {
    return `${label}-${run.slice(0, RUN_DIGITS)}${SUFFIX}`;
  }

  /**
   * Makes a new lane one that is kept. The file counts from `publish` on.
   *
   * @throws KeepError when there is no room, or it cannot be made
   */
  keep(lane: Lane, header: KeptHeader): void {
    const path = this.pathOf(this.nameFor(header));
    const unready = this.#unreadyPath(header);
    const flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW;
    const descriptor = open(unready, flags, FILE_MODE);
    if (descriptor < 0) throw cannotKeep(path, -descriptor);
    const bytes = KEPT_HEADER_BYTES + keptBytes(lane);
    const text = encodeHeader(header);
    // Before anything is touched, which without room would end the program.
    let outcome = reserve(descriptor, bytes);
    if (outcome >= 0) outcome = write(descriptor, addressOf(text), text.length);
    if (outcome >= 0) outcome = lockFile(descriptor, "exclusive");
    if (outcome >= 0) outcome = mapLane(lane, descriptor, "shared");
    close(descriptor);
    if (outcome >= 0) return;
    unlink(unready);
    throw cannotKeep(path, -outcome, bytes);
  }

  /** Writes the header of a file again, as long as it was. @throws KeepError */
  renew({ name, descriptor }: LeftFile, header: KeptHeader): void {
    const text = encodeHeader(header);
    const outcome = write(descriptor, addressOf(text), text.length);
    if (outcome < 0) throw cannotKeep(this.pathOf(name), -outcome);
  }

  /** What was made with `keep` is found by later runs from now on. @throws KeepError */
  publish(header: KeptHeader): void {
    this.#publishAs(this.nameFor(header), header);
  }

  #publishAs(name: string, header: KeptHeader): void {
    const outcome = rename(
      this.#unreadyPath(header),
      pathIn(this.#descriptor, name),
    );
    if (outcome < 0) throw cannotKeep(this.pathOf(name), -outcome);
  }

  #unreadyPath(header: KeptHeader): string {
    return pathIn(this.#descriptor, `${this.nameFor(header)}.new`);
  }

  /** False where somebody has removed the file: it ends with the process that has it. */
  has(name: string): boolean {
    return typeof statusOfName(pathIn(this.#descriptor, name)) !== "number";
  }

  /** Nothing of it is needed any more. */
  remove(name: string): void {
    unlink(pathIn(this.#descriptor, name));
  }

  /** Out of the way, and not lost. @returns where it is now */
  setAside(name: string): string {
    const aside = this.#linkAside(name);
    this.remove(name);
    return aside;
  }

  /**
   * As `setAside`, for a file of which the sound part was put into one that was made with
   * `keep`: that takes its name in one step, so that the next run finds one of the two.
   *
   * @throws KeepError
   */
  replace(name: string, header: KeptHeader): string {
    const unready = open(this.#unreadyPath(header), O_RDWR | O_NOFOLLOW);
    const synced = unready < 0 ? unready : fsync(unready);
    if (unready >= 0) close(unready);
    if (synced < 0) throw cannotKeep(this.pathOf(name), -synced);
    const aside = this.#linkAside(name);
    this.#publishAs(name, header);
    return aside;
  }

  /** Gives a file one more name, which no other has. */
  #linkAside(name: string): string {
    for (let number = 1;; number++) {
      const aside = `${name}.damaged${number === 1 ? "" : `.${number}`}`;
      const outcome = link(
        pathIn(this.#descriptor, name),
        pathIn(this.#descriptor, aside),
      );
      if (outcome >= 0) return this.pathOf(aside);
      if (outcome !== -EEXIST) {
        throw new KeepError(
          `cannot set "${this.pathOf(name)}" aside: ${
            describeError(-outcome)
          }; move it elsewhere`,
        );
      }
    }
  }
}

/**
 * Opens a file that an earlier run has left; undefined where that is blank.
 *
 * @throws KeepError where it is none
 */
export function openLeft(
  path: string,
  name: string,
  access: typeof O_RDONLY | typeof O_RDWR,
): Omit<LeftFile, "name"> | undefined {
  const descriptor = open(path, access | O_NOFOLLOW | O_NONBLOCK);
  const cannot = (why: string) => new KeepError(`cannot recover "${name}": ${why}`);
  if (descriptor < 0) throw cannot(describeError(-descriptor));
  const found = status(descriptor);
  if (typeof found === "number") throw cannot(describeError(-found));
  if (found.kind !== "file") throw cannot(`not a file but a ${kindName(found)}`);
  const locked = lockFile(descriptor, access === O_RDONLY ? "shared" : "exclusive");
  if (locked === -EAGAIN) throw cannot(`${lockHolder(descriptor)} is using it`);
  const head = new Uint8Array(KEPT_HEADER_BYTES);
  const count = readAt(descriptor, addressOf(head), head.length, 0);
  if (count < 0) throw cannot(describeError(-count));
  if (head.every((byte) => byte === 0)) {
    close(descriptor);
    return undefined;
  }
  const header = decodeHeader(head.subarray(0, count));
  if (typeof header === "string") {
    throw cannot(
      `${header}; move it elsewhere, or let the version recover it that has made it`,
    );
  }
  return { header, descriptor, bytes: found.bytes };
}

/**
 * Puts the file that it was left in behind a lane, which has to be made for its sizes. The
 * lock lasts as long as that, whoever closes the descriptor.
 */
export function mapLeft(
  lane: Lane,
  { descriptor, bytes }: LeftFile,
  mapping: "shared" | "private",
): string | undefined {
  // What is beyond its end cannot be touched.
  if (bytes < KEPT_HEADER_BYTES + keptBytes(lane)) return "it was cut off";
  const outcome = mapLane(lane, descriptor, mapping);
  return outcome < 0 ? `cannot map it: ${describeError(-outcome)}` : undefined;
}

function mapLane(lane: Lane, descriptor: number, mapping: "shared" | "private"): number {
  const address = addressOfMemory(lane.memory) + lane.at;
  return mapFile(address, keptBytes(lane), descriptor, KEPT_HEADER_BYTES, mapping);
}

function cannotKeep(path: string, error: number, bytes?: number): KeepError {
  return new KeepError(
    `cannot make "${path}": ${describeError(error)}; ${adviceOn(error, bytes)}`,
  );
}

/** @param bytes how large the file was to be */
function adviceOn(error: number, bytes: number | undefined): string {
  if (bytes !== undefined && [ENOSPC, EDQUOT].includes(error)) {
    return `it takes ${
      formatSize(bytes)
    }: make room, ask for a smaller --capacity, or name another folder`;
  }
  if (bytes !== undefined && error === EFBIG) {
    return `it takes ${
      formatSize(bytes)
    }: raise the limit of file sizes (ulimit -f, LimitFSIZE=), or ask for a smaller --capacity`;
  }
  return "name a folder that this user may write to";
}
