/** Refusing what is not UTF-8: as text it would name another file. */

import { lastArguments } from "../child/arguments.ts";
import { UsageError } from "../errors.ts";
import { initialize } from "../system/errno.ts";
import { isText } from "../text.ts";

/** What bytes that are no character become in text. */
const REPLACEMENT = "\ufffd";
const ADVICE =
  "; a file with such a name can be handed over open, as in `spillway >>FILE`, or given another name";

/**
 * Checks the arguments, but not those of a command after `--`, which gets its own byte
 * for byte. (The Deno executable ends before that, with words of its runtime's.)
 *
 * @param count of all arguments, of which these are the first
 * @throws UsageError
 */
export function checkArguments(args: readonly string[], count: number): void {
  if (!args.some((arg) => arg.includes(REPLACEMENT))) return;
  let given = givenArguments(count);
  for (const arg of args) {
    const length = given.indexOf(0);
    if (!isText(given.subarray(0, length))) {
      throw new UsageError(
        `the argument "${arg}" is not UTF-8, where it has ${REPLACEMENT}${ADVICE}`,
      );
    }
    given = given.subarray(length + 1);
  }
}

/** The last arguments as they were given, a NUL after each. */
function givenArguments(count: number): Uint8Array {
  initialize();
  return lastArguments(count);
}
