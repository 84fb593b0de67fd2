import process from "node:process";
import { result } from "./errno.ts";
import { libc } from "./libc.ts";
import { addressOf, cStringAt } from "./memory.ts";

export type FileKind =
  | "file"
  | "pipe"
  | "terminal"
  | "device"
  | "socket"
  | "directory"
  | "link";

export interface FileStatus {
  readonly kind: FileKind;
  /** Tells two files apart; equal for the same file under two names. */
  readonly identity: string;
  /** The device that holds it, which files share that can hang together. */
  readonly device: string;
  /** The permission bits of chmod(2). */
  readonly permissions: number;
  /** The number of the user it belongs to. */
  readonly owner: number;
  readonly bytes: number;
  /** How many names it has; 0 once it was deleted. */
  readonly links: number;
}

/** How messages call it. */
export function kindName({ kind }: FileStatus): string {
  return kind === "file" ? "regular file" : kind;
}

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_EMPTY_PATH = 0x1000;
/** In the system call tables of x86-64 and arm64. */
const STATX_NUMBER = process.arch === "arm64" ? 291 : 332;
const STATX_BASIC_STATS = 0x7FF;
/** Major device numbers of terminals: `tty`, `console` and the Unix 98 slaves. */
const TERMINAL_MAJORS = new Set([4, 5, 136, 137, 138, 139, 140, 141, 142, 143]);

/** struct statx, of this thread's last call. */
const buffer = new DataView(new ArrayBuffer(256));
let bufferAddress = 0;

/** What is at a path, after symbolic links, or behind a descriptor; or `-errno`. */
export function status(target: string | number): FileStatus | number {
  return typeof target === "string"
    ? statx(AT_FDCWD, target, 0)
    : statx(target, "", AT_EMPTY_PATH);
}

/** What is at a path, which may be a symbolic link; or `-errno`. */
export function statusOfName(path: string): FileStatus | number {
  return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW);
}

function statx(descriptor: number, path: string, flags: number): FileStatus | number {
  bufferAddress ||= addressOf(new Uint8Array(buffer.buffer));
  const outcome = result(
    libc().call.syscall(
      STATX_NUMBER,
      descriptor,
      cStringAt(path),
      flags,
      STATX_BASIC_STATS,
      bufferAddress,
    ),
  );
  if (outcome < 0) return outcome;
  // Offsets of struct statx, the same on every architecture: statx(2).
  const links = buffer.getUint32(16, true);
  const owner = buffer.getUint32(20, true);
  const mode = buffer.getUint16(28, true);
  const inode = buffer.getBigUint64(32, true);
  const bytes = Number(buffer.getBigUint64(40, true));
  const deviceMajor = buffer.getUint32(128, true);
  const [major, minor] = [buffer.getUint32(136, true), buffer.getUint32(140, true)];
  return {
    kind: kindOf(mode & 0o170000, deviceMajor),
    identity: `${major}:${minor}:${inode}`,
    device: `${major}:${minor}`,
    permissions: mode & 0o7777,
    owner,
    links,
    bytes,
  };
}

function kindOf(type: number, deviceMajor: number): FileKind {
  switch (type) {
    case 0o010000:
      return "pipe";
    case 0o020000:
      return TERMINAL_MAJORS.has(deviceMajor) ? "terminal" : "device";
    case 0o040000:
      return "directory";
    case 0o120000:
      return "link";
    case 0o140000:
      return "socket";
    case 0o060000:
      return "device";
    default:
      return "file";
  }
}
