import { PermanentError } from "../errors.ts";
import { describeError, EEXIST } from "../system/errno.ts";
import { mkdir } from "../system/names.ts";

/** As what is in it: for a group of log readers, not for everybody. */
const FOLDER_MODE = 0o750;

/**
 * Makes a folder that a placeholder names. Blocks for as long as its disk takes.
 *
 * @param what it is for, in messages
 * @throws PermanentError when it is missing and cannot be made.
 */
export function makeFolder(path: string, what: string): void {
  const outcome = mkdir(path, FOLDER_MODE);
  if (outcome === -EEXIST || outcome >= 0) return;
  throw new PermanentError(
    `cannot make folder "${path}" for ${what}: ${
      describeError(-outcome)
    }; what it is in must exist and be writable`,
  );
}
