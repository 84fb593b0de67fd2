/** Names in folders; what is made has the mode that is given, less the umask. */

import { result } from "./errno.ts";
import { libc } from "./libc.ts";
import { cStringAt } from "./memory.ts";

/** Takes a name away; the file goes with its last name, once no one has it open. */
export function unlink(path: string): number {
  return result(libc().call.unlink(cStringAt(path)));
}

/** Gives a file another name in one step; what had that name before is gone. */
export function rename(from: string, to: string): number {
  return result(libc().call.rename(cStringAt(from), cStringAt(to)));
}

/** Gives a file one more name. */
export function link(from: string, to: string): number {
  return result(libc().call.link(cStringAt(from), cStringAt(to)));
}

/** Makes a named pipe. */
export function mkfifo(path: string, mode: number): number {
  return result(libc().call.mkfifo(cStringAt(path), mode));
}

/** Makes a folder. */
export function mkdir(path: string, mode: number): number {
  return result(libc().call.mkdir(cStringAt(path), mode));
}
