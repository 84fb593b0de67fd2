import {
  close,
  O_APPEND,
  O_CREAT,
  O_NOCTTY,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  O_WRONLY,
  open,
  openAgain,
} from "../../system/descriptors.ts";
import { describeError, ENOENT } from "../../system/errno.ts";
import { type FileStatus, status } from "../../system/file_status.ts";
import { refusalInSharedFolder } from "../../system/shared_folder.ts";

/** A file or device that is open for appending. The caller closes it. */
export interface Appendable {
  readonly descriptor: number;
  readonly status: FileStatus;
}

/** What is asked of a file. */
export interface FileWish {
  readonly path: string;
  /** Of a file that is made. */
  readonly mode: number;
  /** It may be one that a symbolic link leads to. */
  readonly followsLinks: boolean;
}

/** O_NONBLOCK means nothing to files; it keeps anything else from blocking the thread. */
const FLAGS = O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY;

/**
 * Opens a file for appending, or makes it, or says in words why it cannot. What is
 * opened is the very thing that was looked at: whoever may write to the folder could
 * give the name to another in between.
 */
export function openForAppending(wish: FileWish): Appendable | string {
  const found = find(wish);
  if (typeof found === "string") return found;
  if (found >= 0) {
    const descriptor = openAgain(found, FLAGS);
    close(found);
    return descriptor < 0 ? reasonOf(-descriptor) : checked(wish, descriptor);
  }
  if (found !== -ENOENT) return reasonOf(-found);
  const flags = FLAGS | O_CREAT | (wish.followsLinks ? 0 : O_NOFOLLOW);
  const made = open(wish.path, flags, wish.mode);
  return made < 0 ? reasonOf(-made) : checked(wish, made);
}

/** A descriptor of what has the name, which can only be looked at; or `-errno`. */
function find(wish: FileWish): number | string {
  const name = open(wish.path, O_PATH | O_NOFOLLOW);
  if (name < 0) return name;
  const found = status(name);
  const refusal = refusalOf(wish, found);
  // A link of one's own cannot be replaced by others where the sticky bit is set.
  if (refusal === undefined && typeof found !== "number" && found.kind === "link") {
    close(name);
    return open(wish.path, O_PATH);
  }
  if (refusal === undefined) return name;
  close(name);
  return refusal;
}

/** Looks at what is open now; it may have come between the look and the making. */
function checked(wish: FileWish, descriptor: number): Appendable | string {
  const found = status(descriptor);
  const refusal = refusalOf(wish, found);
  if (refusal === undefined) return { descriptor, status: found as FileStatus };
  close(descriptor);
  return refusal;
}

function reasonOf(errno: number): string {
  return `${describeError(errno)}; its folder must exist and be writable for this user`;
}

/** How a pipe is written to, which may be one of this process's own. */
function pipeAt(path: string): string {
  const [, name] = /^\/(?:dev|dev\/fd|proc\/self\/fd)\/(stdout|stderr|1|2)$/.exec(path) ??
    [];
  if (name === undefined) return `fifo:${path}`;
  return name === "stdout" || name === "1" ? "-" : "- and the shell's >&2";
}

function refusalOf(
  { path, followsLinks }: FileWish,
  found: FileStatus | number,
): string | undefined {
  if (typeof found === "number") return describeError(-found);
  switch (found.kind) {
    case "pipe":
      return `not a file but a pipe; write --output ${pipeAt(path)}`;
    case "socket":
      return `not a file but a socket; write --output unix:${path}`;
    case "directory":
      return "not a file but a directory; name a file in it";
    case "link":
      if (followsLinks) break;
      return "not a file but a symbolic link; name the file that it leads to";
  }
  return refusalInSharedFolder(path, found);
}
