/** Named pipes by their names: making, finding and opening them. */

import { InputError } from "../errors.ts";
import { O_NONBLOCK, O_RDONLY, open } from "../system/descriptors.ts";
import { describeError, EACCES, EEXIST, EMFILE, ENFILE } from "../system/errno.ts";
import { kindName, status } from "../system/file_status.ts";
import { mkfifo } from "../system/names.ts";

const FIFO_MODE = 0o600;

/**
 * Makes a named pipe that only its owner may use; false if something was there already.
 *
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
 * Opens a named pipe for reading, without waiting for a writer.
 *
 * @throws InputError when there is none, or it cannot be opened.
 */
export function openFifo(path: string): number {
  const found = status(path);
  if (typeof found === "number") {
    throw new InputError(
      `cannot open FIFO "${path}": ${describeError(-found)}; ${
        found === -EACCES
          ? "this user must be able to enter its folder"
          : "make one with mkfifo or pass --create"
      }`,
    );
  }
  if (found.kind !== "pipe") {
    throw new InputError(
      `cannot open FIFO "${path}": not a FIFO but a ${
        kindName(found)
      }; make one with mkfifo under another name, or redirect it into standard input`,
    );
  }
  const descriptor = open(path, O_RDONLY | O_NONBLOCK);
  if (descriptor < 0) {
    throw new InputError(
      `cannot open FIFO "${path}": ${describeError(-descriptor)}${advice(-descriptor)}`,
    );
  }
  return descriptor;
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
