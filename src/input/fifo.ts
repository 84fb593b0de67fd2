/** Named pipes by their names: making, finding and opening them. */

import { InputError } from "../errors.ts";
import {
  close,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  open,
  openAgain,
} from "../system/descriptors.ts";
import {
  describeError,
  EACCES,
  EAGAIN,
  EEXIST,
  EMFILE,
  ENFILE,
  ENOENT,
} from "../system/errno.ts";
import { lockFile, lockHolder, unlockFile } from "../system/file_locks.ts";
import { type FileStatus, kindName, status } from "../system/file_status.ts";
import { mkfifo } from "../system/names.ts";
import { refusalInSharedFolder } from "../system/shared_folder.ts";

const FIFO_MODE = 0o600;

/**
 * Makes a named pipe that only its owner may use, unless something has the name
 * already. It stays when the program ends: a writer that has it open goes on with it,
 * and the next run is to read what that writes.
 *
 * @returns whether it has made one
 * @throws InputError when it cannot be made.
 */
export function createFifo(path: string): boolean {
  const outcome = mkfifo(path, FIFO_MODE);
  if (outcome === -EEXIST) return false;
  if (outcome < 0) {
    throw new InputError(
      `cannot make FIFO "${path}": ${
        describeError(-outcome)
      }; its folder must exist and be writable`,
    );
  }
  return true;
}

/**
 * Opens a named pipe for reading, without waiting for a writer, and locks it against
 * every other Spillway. What is opened is what was found to be a pipe, and not what
 * somebody may put under the name in between. The caller closes it.
 *
 * @param ownOnly it was to be made here, so what somebody else has made is not it
 * @throws InputError when there is none, it cannot be opened, or it has a reader.
 */
export function openFifo(path: string, ownOnly: boolean): number {
  const found = open(path, O_PATH);
  if (found < 0) {
    throw new InputError(
      `cannot open FIFO "${path}": ${describeError(-found)}; ${
        found === -EACCES
          ? "this user must be able to enter its folder"
          : "make one with mkfifo or pass --create"
      }`,
    );
  }
  try {
    const what = statusOf(path, found);
    checkIsPipe(path, what);
    if (ownOnly) refuseStrangers(path, what);
    return openLocked(path, found);
  } finally {
    close(found);
  }
}

/**
 * As `openFifo`, for what is only known to have a name in a folder: nobody has said that
 * it is a named pipe, or that it may be read.
 *
 * @returns undefined when nothing has the name, or something else than a named pipe;
 *   what a link leads to is not in the folder
 * @throws InputError when it cannot be opened, has a reader, or is a stranger's.
 */
export function openFifoInFolder(path: string): number | undefined {
  const found = open(path, O_PATH | O_NOFOLLOW);
  if (found === -ENOENT) return undefined;
  if (found < 0) {
    throw new InputError(
      `cannot open FIFO "${path}": ${describeError(-found)}${advice(-found)}`,
    );
  }
  try {
    const what = statusOf(path, found);
    if (what.kind !== "pipe") return undefined;
    refuseStrangers(path, what);
    return openLocked(path, found);
  } finally {
    close(found);
  }
}

/** Opens for reading what was found, and takes its lock. */
function openLocked(path: string, found: number): number {
  const descriptor = openPipe(path, found);
  try {
    lockPipe(path, descriptor);
    return descriptor;
  } catch (error) {
    close(descriptor);
    throw error;
  }
}

function statusOf(path: string, descriptor: number): FileStatus {
  const found = status(descriptor);
  if (typeof found !== "number") return found;
  throw new InputError(`cannot look at FIFO "${path}": ${describeError(-found)}`);
}

function refuseStrangers(path: string, found: FileStatus): void {
  const refusal = refusalInSharedFolder(path, found);
  if (refusal !== undefined) {
    throw new InputError(`cannot read FIFO "${path}": ${refusal}`);
  }
}

function checkIsPipe(path: string, found: FileStatus): void {
  if (found.kind === "pipe") return;
  throw new InputError(
    `cannot open FIFO "${path}": not a FIFO but a ${
      kindName(found)
    }; make one with mkfifo under another name, or redirect it into standard input`,
  );
}

function openPipe(path: string, found: number): number {
  const descriptor = openAgain(found, O_RDONLY | O_NONBLOCK);
  if (descriptor >= 0) return descriptor;
  throw new InputError(
    `cannot open FIFO "${path}": ${describeError(-descriptor)}${advice(-descriptor)}`,
  );
}

/**
 * Opens the pipe once more, and gives up the descriptor that was open. For the length of
 * a system call nobody holds the lock. Whoever takes it then is the only reader; it is as
 * if it had come first.
 *
 * @returns the new descriptor, or `-errno` when it cannot be opened, and the old one stays
 * @throws InputError when another reader has come in between; the old one stays open.
 */
export function reopenFifo(path: string, descriptor: number): number {
  const next = openAgain(descriptor, O_RDONLY | O_NONBLOCK);
  if (next < 0) return next;
  unlockFile(descriptor);
  try {
    lockPipe(path, next);
  } catch (error) {
    close(next);
    throw error;
  }
  close(descriptor);
  return next;
}

/** Two readers of one pipe would get parts of the lines each. */
function lockPipe(path: string, descriptor: number): void {
  const outcome = lockFile(descriptor, "exclusive");
  if (outcome >= 0) return;
  const why = outcome === -EAGAIN
    ? `cannot read FIFO "${path}": ${
      lockHolder(descriptor)
    } reads it already, and each of the two would get only parts of the lines; end that one first, or give each a FIFO of its own`
    : `cannot lock FIFO "${path}" against other readers: ${describeError(-outcome)}`;
  throw new InputError(why);
}

/** What a person can do about an open that has failed. */
export function advice(errno: number): string {
  switch (errno) {
    case EACCES:
      return "; this user may not read it: see its owner and mode";
    case EMFILE:
      return "; raise the limit of open files (ulimit -n, LimitNOFILE=)";
    case ENFILE:
      return "; the whole system has no more (fs.file-max)";
    default:
      return "";
  }
}
