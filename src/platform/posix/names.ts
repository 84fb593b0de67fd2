/** Names in folders: making, changing and removing them. */

import { addressOf, cString } from "./memory.ts";
import { result } from "./errno.ts";
import { libc } from "./libc.ts";

export function unlink(path: string): number {
  const name = cString(path);
  return result(libc().call.unlink(addressOf(name)));
}

/** Gives a file another name in one step; what had that name before is gone. */
export function rename(from: string, to: string): number {
  const [source, target] = [cString(from), cString(to)];
  return result(libc().call.rename(addressOf(source), addressOf(target)));
}

export function mkfifo(path: string, mode: number): number {
  const name = cString(path);
  return result(libc().call.mkfifo(addressOf(name), mode));
}

export function mkdir(path: string, mode: number): number {
  const name = cString(path);
  return result(libc().call.mkdir(addressOf(name), mode));
}
