/** System calls that fail for the real program: strace gives the errors in the kernel's place. */

import type { Program } from "../end_to_end/programs.ts";
import { type Running, startInShell } from "../end_to_end/run.ts";

/** Which calls fail, as `strace -e inject=` puts it. */
export interface Fault {
  readonly call: string;
  readonly error: string;
  /** The first of a thread's calls that fails; "2..4" is a range, and "3+" all from there on. */
  readonly when: string;
  /** Only the calls on this file. */
  readonly path?: string;
}

export function startFaulty(
  program: Program,
  { path, call, error, when }: Fault,
  args: readonly string[],
): Running {
  const only = path === undefined ? "" : `-P "$FAULTY" `;
  // -D: the program stays the child of this process, and its signals are its own.
  const strace = `exec strace -D -f -qq -o /dev/null ${only}-e trace=${call} ` +
    `-e inject=${call}:error=${error}:when=${when} "$@"`;
  const reports = ["--report", "json"];
  return startInShell(program, strace, [...args, ...reports], { FAULTY: path ?? "" });
}
