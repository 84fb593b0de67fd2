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
  // In one array, so that neither can be collected while the other's address is taken.
  const names = new Uint8Array(source.length + target.length);
  names.set(source);
  names.set(target, source.length);
  const address = addressOf(names);
  return result(libc().call.rename(address, address + source.length));
}

export function mkfifo(path: string, mode: number): number {
  const name = cString(path);
  return result(libc().call.mkfifo(addressOf(name), mode));
}

export function mkdir(path: string, mode: number): number {
  const name = cString(path);
  return result(libc().call.mkdir(addressOf(name), mode));
}
