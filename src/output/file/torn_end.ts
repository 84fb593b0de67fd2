import { TemporaryError } from "../../errors.ts";
import { close, O_RDONLY, openAgain, write } from "../../system/descriptors.ts";
import { describeError } from "../../system/errno.ts";
import { readAt } from "../../system/files.ts";
import { addressOf } from "../../system/memory.ts";

const NEWLINE = new Uint8Array([10]);

/**
 * True for a file that ends inside a line: an earlier run was killed in the middle of a
 * write, or its input ended so. What is appended would be glued to that line, and
 * neither could be read. False as well where this user may write to the file and not
 * read it.
 */
export function endsInsideLine(descriptor: number, bytes: number): boolean {
  if (bytes === 0) return false;
  const readable = openAgain(descriptor, O_RDONLY);
  if (readable < 0) return false;
  const last = new Uint8Array(1);
  const count = readAt(readable, addressOf(last), 1, bytes - 1);
  close(readable);
  return count === 1 && last[0] !== NEWLINE[0];
}

/** Appends the newline that is missing. @throws TemporaryError */
export function endLine(name: string, descriptor: number): void {
  const outcome = write(descriptor, addressOf(NEWLINE), NEWLINE.length);
  if (outcome > 0) return;
  throw new TemporaryError(`cannot write to ${name}: ${describeError(-outcome)}`);
}
