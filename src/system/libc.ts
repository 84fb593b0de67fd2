/**
 * The C library's functions, with the machine types of what they take and return.
 *
 * Pointers travel as plain numbers: user-space addresses stay far below 2^53 on every
 * 64-bit Linux, and numbers keep the calls on both runtimes' fast paths.
 */

import process from "node:process";
import { messageOf } from "../errors.ts";
import {
  type CFunction,
  type ForeignLibrary,
  openLibrary,
  type Signature,
} from "../runtime/foreign_library.ts";

const SIGNATURES = {
  open: [["address", "int", "int"], "int"],
  close: [["int"], "int"],
  // Lengths stay below 2^31, so the low half of ssize_t says everything.
  read: [["int", "address", "address"], "int"],
  write: [["int", "address", "address"], "int"],
  // The position is 64 bits wide, as an address is.
  pread: [["int", "address", "address", "address"], "int"],
  poll: [["address", "address", "int"], "int"],
  epoll_create1: [["int"], "int"],
  epoll_ctl: [["int", "int", "int", "address"], "int"],
  epoll_wait: [["int", "address", "int", "int"], "int"],
  eventfd: [["int", "int"], "int"],
  inotify_init1: [["int"], "int"],
  inotify_add_watch: [["int", "address", "int"], "int"],
  inotify_rm_watch: [["int", "int"], "int"],
  pipe2: [["address", "int"], "int"],
  // The last one is a number for some commands, and an address for others.
  fcntl: [["int", "int", "address"], "int"],
  flock: [["int", "int"], "int"],
  geteuid: [[], "int"],
  gettid: [[], "int"],
  ioctl: [["int", "address", "address"], "int"],
  mkfifo: [["address", "int"], "int"],
  mkdir: [["address", "int"], "int"],
  link: [["address", "address"], "int"],
  unlink: [["address"], "int"],
  rename: [["address", "address"], "int"],
  ftruncate: [["int", "address"], "int"],
  getrlimit: [["int", "address"], "int"],
  setrlimit: [["int", "address"], "int"],
  // Calls that a C library may be too old to have: the number, and its arguments.
  syscall: [["address", "int", "address", "int", "int", "address"], "int"],
  posix_spawnp: [
    ["address", "address", "address", "address", "address", "address"],
    "int",
  ],
  posix_spawn_file_actions_init: [["address"], "int"],
  posix_spawn_file_actions_adddup2: [["address", "int", "int"], "int"],
  posix_spawn_file_actions_destroy: [["address"], "int"],
  posix_spawnattr_init: [["address"], "int"],
  posix_spawnattr_setflags: [["address", "int"], "int"],
  posix_spawnattr_setpgroup: [["address", "int"], "int"],
  posix_spawnattr_setsigdefault: [["address", "address"], "int"],
  posix_spawnattr_setsigmask: [["address", "address"], "int"],
  posix_spawnattr_destroy: [["address"], "int"],
  waitpid: [["int", "address", "int"], "int"],
  kill: [["int", "int"], "int"],
  prctl: [["int", "address", "address", "address", "address"], "int"],
  usleep: [["int"], "int"],
  madvise: [["address", "address", "int"], "int"],
  mmap: [["address", "address", "int", "int", "int", "address"], "address"],
  // What it returns is the error itself.
  posix_fallocate: [["int", "address", "address"], "int"],
  statfs: [["address", "address"], "int"],
  getpagesize: [[], "int"],
  setpriority: [["int", "int", "int"], "int"],
  sigaction: [["int", "address", "address"], "int"],
  signal: [["int", "address"], "address"],
  sigprocmask: [["int", "address", "address"], "int"],
  fsync: [["int"], "int"],
  sync_file_range: [["int", "address", "address", "int"], "int"],
  clock_gettime: [["int", "address"], "int"],
  gethostname: [["address", "address"], "int"],
  getenv: [["address"], "address"],
  strlen: [["address"], "int"],
  socket: [["int", "int", "int"], "int"],
  connect: [["int", "address", "int"], "int"],
  send: [["int", "address", "address", "int"], "int"],
  recv: [["int", "address", "address", "int"], "int"],
  shutdown: [["int", "int"], "int"],
  setsockopt: [["int", "int", "int", "address", "int"], "int"],
  getsockopt: [["int", "int", "int", "address", "address"], "int"],
  getsockname: [["int", "address", "address"], "int"],
  getpeername: [["int", "address", "address"], "int"],
  getaddrinfo: [["address", "address", "address", "address"], "int"],
  freeaddrinfo: [["address"], "none"],
  gai_strerror: [["int"], "address"],
  strerror: [["int"], "address"],
  __errno_location: [[], "address"],
} as const satisfies Record<string, Signature>;

type Name = keyof typeof SIGNATURES;
type Symbols = Record<Name, CFunction>;

interface Libc extends Omit<ForeignLibrary, "find"> {
  readonly call: Symbols;
}

/**
 * The runtime has loaded it already, and by this name both loaders find it there without
 * looking into any folder: glibc because it is the library's own name, musl because it
 * takes every `libc.*` for itself. Any other name would be looked for, by Bun in the
 * working folder, too, and whatever is found there would run.
 */
const LIBRARY = "libc.so.6";

let loaded: Libc | undefined;

/** The C library, loaded at the first call in each thread. */
export function libc(): Libc {
  loaded ??= load();
  return loaded;
}

function load(): Libc {
  if (process.platform !== "linux") {
    throw new Error(
      `this platform (${process.platform}) is not supported: Spillway needs Linux`,
    );
  }
  try {
    const { find, addressOf, memoryAt } = openLibrary(LIBRARY);
    const call = foundWhenCalled(find);
    call.__errno_location(); // Fails where calls are refused.
    return { call, addressOf, memoryAt };
  } catch (error) {
    throw new Error(
      `cannot make system calls: ${messageOf(error)}${
        /\bJIT\b/.test(messageOf(error)) ? NO_CODE_ADVICE : ""
      }`,
    );
  }
}

/** Bun makes a small function for each call, in memory that is written and then run. */
const NO_CODE_ADVICE =
  "; take away what keeps this program from making code: MemoryDenyWriteExecute= in a unit, BUN_JSC_useJIT=0, or a limit of its address space (ulimit -v)";

/**
 * Each function is looked up at its first call: a thread needs a third of them, and
 * all would cost it 5 ms under Deno.
 */
function foundWhenCalled(find: ForeignLibrary["find"]): Symbols {
  const call = {} as Symbols;
  for (const name of Object.keys(SIGNATURES) as Name[]) {
    call[name] = (...args) => {
      call[name] = find(name, SIGNATURES[name]);
      return call[name](...args);
    };
  }
  return call;
}
