/** What kind of file system something is in: statfs(2). */

import { result } from "./errno.ts";
import { libc } from "./libc.ts";
import { addressOf, cStringAt } from "./memory.ts";

const TMPFS_MAGIC = 0x01021994;
const RAMFS_MAGIC = 0x858458f6;
/** More than struct statfs has on any machine; its kind is the first word. */
const STATFS_BYTES = 256;

/** True where what is written to a path stays in memory, and no disk is waited for. */
export function isInMemory(path: string): boolean {
  const found = new DataView(new ArrayBuffer(STATFS_BYTES));
  const address = addressOf(new Uint8Array(found.buffer));
  if (result(libc().call.statfs(cStringAt(path), address)) < 0) return false;
  return [TMPFS_MAGIC, RAMFS_MAGIC].includes(found.getUint32(0, true));
}
