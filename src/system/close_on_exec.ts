/** Which descriptors programs inherit that are started: execve(2). */

import { STDERR, STDIN } from "./descriptors.ts";
import { namesIn } from "./folders.ts";
import { libc } from "./libc.ts";
import { openFilesLimit } from "./limits.ts";

/** In the system call tables of all machines; the C libraries have it since 2021. */
const CLOSE_RANGE_NUMBER = 436;
const CLOSE_RANGE_CLOEXEC = 4;
const LAST_NUMBER = 0xFFFF_FFFF;
const F_SETFD = 2;
const FD_CLOEXEC = 1;

/**
 * Numbers from here on are not tried one by one. No process has them unless somebody has
 * raised fs.nr_open; to try the billion that some containers allow takes half an hour.
 */
const MAX_TRIED = 1024 * 1024;

/**
 * Keeps all descriptors beyond standard error from programs that are started from now
 * on, also those that were handed over to this one; and standard input for them, which Bun
 * would close where it was closed at the start and is /dev/null now. The first file that
 * such a program opens would become its standard input.
 */
export function closeOthersOnExec(): void {
  libc().call.fcntl(STDIN, F_SETFD, 0);
  const first = STDERR + 1;
  const outcome = libc().call.syscall(
    CLOSE_RANGE_NUMBER,
    first,
    LAST_NUMBER,
    CLOSE_RANGE_CLOEXEC,
    0,
    0,
  );
  if (outcome === 0) return;
  // Before Linux 5.11, or where a sandbox does not know the call.
  const names = namesIn("/proc/self/fd");
  if (typeof names !== "number") {
    names.map(Number).filter((number) => number >= first).forEach(closeOnExec);
    return;
  }
  const end = Math.min(openFilesLimit().soft, MAX_TRIED);
  for (let number = first; number < end; number++) closeOnExec(number);
}

function closeOnExec(descriptor: number): void {
  libc().call.fcntl(descriptor, F_SETFD, FD_CLOEXEC);
}
