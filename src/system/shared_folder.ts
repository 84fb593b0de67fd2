import { type FileStatus, status } from "./file_status.ts";
import { ownUser } from "./process.ts";

const STICKY = 0o1000;
const WRITABLE_BY_OTHERS = 0o022;

/**
 * Why what was found under a name must not be used: in a folder where everybody may make
 * things, such as /tmp, somebody else has put it there, to get what is written or to have
 * something read. The rule is that of the kernel's `protected_fifos` and
 * `protected_regular`, which are not set everywhere: proc_sys_fs(5).
 */
export function refusalInSharedFolder(
  path: string,
  found: FileStatus,
): string | undefined {
  const folder = status(path.replace(/[^/]*$/, "") || ".");
  if (typeof folder === "number") return undefined;
  const shared = (folder.permissions & STICKY) !== 0 &&
    (folder.permissions & WRITABLE_BY_OTHERS) !== 0;
  if (!shared || found.owner === ownUser() || found.owner === folder.owner) {
    return undefined;
  }
  return `it belongs to another user (${found.owner}), who has put it into a folder where everybody may; remove it, or use a folder of your own`;
}
