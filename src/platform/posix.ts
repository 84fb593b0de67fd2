/**
 * The system calls that `node:` modules lack or hide: descriptors with the
 * system's own numbers, `poll`, `fcntl`, `mkfifo`, and errno.
 *
 * Conventions, as in the kernel: a result below zero is `-errno`. Calls that a
 * signal interrupts are made again, except `poll`, which then reports nothing
 * ready. All of them may be called from any thread, and block only that thread.
 * Numbers are those of Linux on x86-64 and arm64.
 */

import { constants } from "node:os";
import process from "node:process";
import { libc } from "./libc.ts";

export const O_RDONLY = 0;
export const O_WRONLY = 1;
export const O_CREAT = 0o100;
export const O_TRUNC = 0o1000;
export const O_APPEND = 0o2000;
export const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;

export const {
  EACCES,
  EAGAIN,
  EBADF,
  EBUSY,
  EEXIST,
  EINTR,
  EMFILE,
  ENFILE,
  ENOENT,
  ENXIO,
  EPIPE,
} = constants.errno;

const F_SETPIPE_SZ = 1031;
const F_GETPIPE_SZ = 1032;
const FIONREAD = 0x541B;
const TIOCGWINSZ = 0x5413;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

let errnoCell: Int32Array | undefined;

/** `-errno` of this thread's last failed call. */
function lastError(): number {
  errnoCell ??= new Int32Array(
    libc().memoryAt(Number(libc().call.__errno_location()), 4),
  );
  return -errnoCell[0]!;
}

/** Loads the library and finds errno, so that the first error is not masked by it. */
export function initialize(): void {
  lastError();
}

/** What a call returned, or `-errno`. */
export function result(value: number): number {
  return value < 0 ? lastError() : value;
}

/** The call's result, however often a signal interrupts it. */
export function retried(call: () => number): number {
  for (;;) {
    const value = result(call());
    if (value !== -EINTR) return value;
  }
}

export function cString(text: string): Uint8Array {
  if (text.includes("\0")) throw new RangeError(`a path cannot contain NUL: ${text}`);
  return encoder.encode(`${text}\0`);
}

/** A string of the C library's; undefined for a null pointer. */
export function stringAt(address: number): string | undefined {
  if (address === 0) return undefined;
  const length = libc().call.strlen(address);
  return length === 0 ? "" : decoder.decode(libc().memoryAt(address, length).slice(0));
}

/** A variable of the environment that the program was started with. */
export function environment(name: string): string | undefined {
  const at = libc().call.getenv(libc().addressOf(cString(name)));
  return stringAt(Number(at));
}

/** What an error number means, with its name: `No such file or directory (ENOENT)`. */
export function describeError(errno: number): string {
  const entry = Object.entries(constants.errno).find(([, value]) => value === errno);
  const text = stringAt(Number(libc().call.strerror(errno)));
  return `${text} (${entry?.[0] ?? errno})`;
}

/** Opens `path`; the descriptor is not inherited by child processes. */
export function open(path: string, flags: number, mode = 0): number {
  const name = cString(path);
  const at = libc().addressOf(name);
  return retried(() => libc().call.open(at, flags | O_CLOEXEC, mode));
}

/**
 * A description of our own of the pipe or terminal behind `descriptor`, for
 * writing without blocking. The flag on the description that was handed to us
 * would change it for every process that shares it. `-errno` where that is not
 * possible: sockets, or a pipe of another user.
 */
export function openAgainWithoutBlocking(descriptor: number): number {
  return open(`/proc/self/fd/${descriptor}`, O_WRONLY | O_NONBLOCK);
}

/** EINTR is no reason to close again: Linux has freed the number by then. */
export function close(descriptor: number): number {
  return result(libc().call.close(descriptor));
}

/** Reads at most `length` bytes to `address`; 0 is the end of the input. */
export function read(descriptor: number, address: number, length: number): number {
  for (;;) {
    const count = libc().call.read(descriptor, address, length);
    if (count >= 0) return count;
    const error = lastError();
    if (error !== -EINTR) return error;
  }
}

/** Writes at most `length` bytes from `address`; may write fewer. */
export function write(descriptor: number, address: number, length: number): number {
  for (;;) {
    const count = libc().call.write(descriptor, address, length);
    if (count >= 0) return count;
    const error = lastError();
    if (error !== -EINTR) return error;
  }
}

/** Reads like `read`, from a position in a file, and leaves the file's own as it is. */
export function readAt(
  descriptor: number,
  address: number,
  length: number,
  position: number,
): number {
  return retried(() => libc().call.pread(descriptor, address, length, position));
}

/**
 * A description of its own for reading the file behind `descriptor`, which was
 * opened for writing only; also where its name is gone.
 */
export function openAgainForReading(descriptor: number): number {
  return open(`/proc/self/fd/${descriptor}`, O_RDONLY);
}

/** Cuts a file to `length` bytes. */
export function truncate(descriptor: number, length: number): number {
  return retried(() => libc().call.ftruncate(descriptor, length));
}

export function fsync(descriptor: number): number {
  return retried(() => libc().call.fsync(descriptor));
}

export function unlink(path: string): number {
  const name = cString(path);
  return result(libc().call.unlink(libc().addressOf(name)));
}

/** Gives a file another name in one step; what had that name before is gone. */
export function rename(from: string, to: string): number {
  const [source, target] = [cString(from), cString(to)];
  // In one array, so that neither can be collected while the other's address is taken.
  const names = new Uint8Array(source.length + target.length);
  names.set(source);
  names.set(target, source.length);
  const address = libc().addressOf(names);
  return result(libc().call.rename(address, address + source.length));
}

export function mkfifo(path: string, mode: number): number {
  const name = cString(path);
  return result(libc().call.mkfifo(libc().addressOf(name), mode));
}

export function mkdir(path: string, mode: number): number {
  const name = cString(path);
  return result(libc().call.mkdir(libc().addressOf(name), mode));
}

const RLIMIT_NOFILE = 7;

/** How many descriptors this process may have open; Infinity where it cannot be told. */
export function openFilesLimit(): number {
  // struct rlimit: the limit that counts, and what it may be raised to.
  const limits = new BigUint64Array(2);
  const address = libc().addressOf(new Uint8Array(limits.buffer));
  const outcome = result(libc().call.getrlimit(RLIMIT_NOFILE, address));
  return outcome < 0 ? Infinity : Number(limits[0]);
}

/** A pipe whose two ends do not block: [read end, write end]. */
export function pipe(): [number, number] {
  const ends = new Int32Array(2);
  const address = libc().addressOf(new Uint8Array(ends.buffer));
  const status = result(libc().call.pipe2(address, O_NONBLOCK | O_CLOEXEC));
  if (status < 0) throw new Error(`cannot make a pipe: ${describeError(-status)}`);
  return [ends[0]!, ends[1]!];
}

/** Asks for a kernel pipe of `bytes`; the kernel rounds up to a power of two. */
export function setPipeSize(descriptor: number, bytes: number): number {
  return result(libc().call.fcntl(descriptor, F_SETPIPE_SZ, bytes));
}

/** Read at most so much of a file that is meant to be small: a key, a certificate bundle. */
const MAX_FILE_BYTES = 4 * 1024 * 1024;

/** The whole of a small file, or `-errno`; EFBIG for one of more than 4 MiB. */
export function readFile(path: string): Uint8Array<ArrayBuffer> | number {
  const descriptor = open(path, O_RDONLY);
  if (descriptor < 0) return descriptor;
  try {
    const bytes = new Uint8Array(MAX_FILE_BYTES + 1);
    const address = addressOf(bytes);
    let length = 0;
    for (;;) {
      const count = read(descriptor, address + length, bytes.length - length);
      if (count < 0) return count;
      if (count === 0) return bytes.slice(0, length);
      length += count;
      if (length > MAX_FILE_BYTES) return -constants.errno.EFBIG;
    }
  } finally {
    close(descriptor);
  }
}

/** What the kernel pipe holds, in bytes. */
export function pipeSize(descriptor: number): number {
  return result(libc().call.fcntl(descriptor, F_GETPIPE_SZ, 0));
}

/** Bytes that can be read at once from a pipe (either end tells), terminal or socket. */
export function readableBytes(descriptor: number): number {
  const count = new Int32Array(1);
  const address = libc().addressOf(new Uint8Array(count.buffer));
  const status = result(libc().call.ioctl(descriptor, FIONREAD, address));
  return status < 0 ? status : count[0]!;
}

/** Columns and rows of the terminal behind a descriptor, or `-errno`. 0: it does not say. */
export function terminalSize(
  descriptor: number,
): { readonly columns: number; readonly rows: number } | number {
  // struct winsize: rows, columns, and pixels that nobody fills in.
  const size = new Uint16Array(4);
  const address = libc().addressOf(new Uint8Array(size.buffer));
  const status = result(libc().call.ioctl(descriptor, TIOCGWINSZ, address));
  return status < 0 ? status : { columns: size[1]!, rows: size[0]! };
}

/** POSIX: a pipe takes a write of at most so many bytes whole or not at all. */
export const PIPE_BUF = 4096;

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
  /** The permission bits of chmod(2). */
  readonly permissions: number;
  readonly bytes: number;
}

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_EMPTY_PATH = 0x1000;
/** In the system call tables of x86-64 and arm64. */
const STATX_NUMBER = process.arch === "arm64" ? 291 : 332;
const STATX_BASIC_STATS = 0x7FF;
/** Major device numbers of terminals: `tty`, `console` and the Unix 98 slaves. */
const TERMINAL_MAJORS = new Set([4, 5, 136, 137, 138, 139, 140, 141, 142, 143]);

/** What stands at a path, after symbolic links, or behind a descriptor; or `-errno`. */
export function status(target: string | number): FileStatus | number {
  return typeof target === "string"
    ? statx(AT_FDCWD, target, 0)
    : statx(target, "", AT_EMPTY_PATH);
}

/** What stands at a path, which may be a symbolic link; or `-errno`. */
export function statusOfName(path: string): FileStatus | number {
  return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW);
}

function statx(descriptor: number, path: string, flags: number): FileStatus | number {
  const name = cString(path);
  const buffer = new DataView(new ArrayBuffer(256));
  const outcome = result(
    libc().call.syscall(
      STATX_NUMBER,
      descriptor,
      libc().addressOf(name),
      flags,
      STATX_BASIC_STATS,
      libc().addressOf(new Uint8Array(buffer.buffer)),
    ),
  );
  if (outcome < 0) return outcome;
  // Offsets of struct statx, the same on every architecture: statx(2).
  const mode = buffer.getUint16(28, true);
  const inode = buffer.getBigUint64(32, true);
  const bytes = Number(buffer.getBigUint64(40, true));
  const deviceMajor = buffer.getUint32(128, true);
  const [major, minor] = [buffer.getUint32(136, true), buffer.getUint32(140, true)];
  return {
    kind: kindOf(mode & 0o170000, deviceMajor),
    identity: `${major}:${minor}:${inode}`,
    permissions: mode & 0o7777,
    bytes,
  };
}

export function isTerminal(descriptor: number): boolean {
  const found = status(descriptor);
  return typeof found !== "number" && found.kind === "terminal";
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

const HOST_NAME_MAX = 64;

/** The name that this machine, or this container, has for itself; empty without one. */
export function hostName(): string {
  const name = new Uint8Array(HOST_NAME_MAX + 1);
  const outcome = result(libc().call.gethostname(addressOf(name), name.length));
  return outcome < 0 ? "" : decoder.decode(name.subarray(0, name.indexOf(0)));
}

/** Gives the processor away for a moment; the kernel adds about 50 µs. */
export function napMicros(micros: number): void {
  libc().call.usleep(micros);
}

const PRIO_PROCESS = 0;
const LOWEST_PRIORITY = 19;

/** The calling thread gets the processor and the disk when others leave them. */
export function yieldToOthers(): void {
  // On Linux 0 means this thread and not, as POSIX has it, the whole process. A
  // thread may always lower its own priority, so there is nothing to check.
  libc().call.setpriority(PRIO_PROCESS, 0, LOWEST_PRIORITY);
}

/** struct timespec: seconds in words 0 and 1, nanoseconds in word 2. */
const timespec = new Uint32Array(4);
let timespecAddress = 0;
const CLOCK_REALTIME = 0;
const CLOCK_MONOTONIC = 1;

/** The system's time of day in microseconds since 1970. */
export function wallClockMicros(): number {
  return clockMicros(CLOCK_REALTIME);
}

/**
 * In whole milliseconds, the same in all threads, and never set by anybody; that of
 * `performance.now` begins anew in each thread.
 */
export function monotonicMs(): number {
  return Math.floor(clockMicros(CLOCK_MONOTONIC) / 1e3);
}

function clockMicros(clock: number): number {
  timespecAddress ||= libc().addressOf(new Uint8Array(timespec.buffer));
  libc().call.clock_gettime(clock, timespecAddress);
  const seconds = timespec[1]! * 2 ** 32 + timespec[0]!;
  return seconds * 1e6 + Math.floor(timespec[2]! / 1e3);
}

export const POLLIN = 0x1;
export const POLLOUT = 0x4;
export const POLLERR = 0x8;
export const POLLHUP = 0x10;
export const POLLNVAL = 0x20;
export const POLLRDHUP = 0x2000;

/**
 * A reusable array of `struct pollfd`. Slots keep their number; a slot that is
 * disabled is ignored by the kernel.
 */
export class PollSet {
  readonly #words: Int32Array;
  readonly #halves: Int16Array;
  readonly #address: number;

  constructor(readonly slots: number) {
    const memory = new ArrayBuffer(slots * 8);
    this.#words = new Int32Array(memory);
    this.#halves = new Int16Array(memory);
    this.#address = libc().addressOf(new Uint8Array(memory));
    this.#words.fill(-1);
  }

  watch(slot: number, descriptor: number, events: number): void {
    this.#words[slot * 2] = descriptor;
    this.#halves[slot * 4 + 2] = events;
    this.#halves[slot * 4 + 3] = 0;
  }

  disable(slot: number): void {
    this.watch(slot, -1, 0);
  }

  /** Waits until a slot is ready or the time is over (-1: for ever). */
  wait(timeoutMs: number): void {
    const ready = libc().call.poll(this.#address, this.slots, timeoutMs);
    if (ready >= 0) return;
    const error = lastError();
    if (error !== -EINTR) throw new Error(`poll failed: ${describeError(-error)}`);
    for (let slot = 0; slot < this.slots; slot++) this.#halves[slot * 4 + 3] = 0;
  }

  /** The events of the last wait; POLLERR, POLLHUP and POLLNVAL come unasked. */
  ready(slot: number): number {
    return this.#halves[slot * 4 + 3]!;
  }
}

/** Address of the first byte; good as long as the caller keeps `bytes`. */
export function addressOf(bytes: Uint8Array): number {
  return libc().addressOf(bytes);
}

/** Address of offset 0 of a WebAssembly memory that never grows. */
export function addressOfMemory(memory: WebAssembly.Memory): number {
  return libc().addressOf(new Uint8Array(memory.buffer));
}
