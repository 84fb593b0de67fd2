/**
 * Advisory locks on open files: flock(2), mostly. They belong to an open description, and so
 * to none of the threads: they last until its last descriptor is closed, also by the end
 * of the process, and a rename of the file does not touch them. Over NFS they hold
 * between machines, where the server and the mount options allow it.
 */

import { close } from "./descriptors.ts";
import { readFile } from "./files.ts";
import { retried } from "./errno.ts";
import { status } from "./file_status.ts";
import { libc } from "./libc.ts";
import { addressOf } from "./memory.ts";

const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;
const LOCK_UN = 8;

/** By as many as want to, or by one alone. */
export type LockKind = "shared" | "exclusive";

/** Takes the lock, or gives `-errno`: EAGAIN while another description is in the way. */
export function lockFile(descriptor: number, kind: LockKind): number {
  const operation = kind === "shared" ? LOCK_SH : LOCK_EX;
  return retried(() => libc().call.flock(descriptor, operation | LOCK_NB));
}

const F_OFD_SETLK = 37;
const F_WRLCK = 1;
/** struct flock: its kind, then zeros for all of the file, and for the process. */
const FLOCK_BYTES = 32;

/**
 * Keeps others from writing to a pipe in the same way, and nobody from reading it, as
 * `lockFile` would: the two kinds of locks do not see each other. `-errno`; EAGAIN while
 * another description is in the way. Who that is, the system does not tell: fcntl(2).
 */
export function lockForWriting(descriptor: number): number {
  const lock = new Uint8Array(FLOCK_BYTES);
  lock[0] = F_WRLCK;
  return retried(() => libc().call.fcntl(descriptor, F_OFD_SETLK, addressOf(lock)));
}

/** Gives the lock up, also where a copy of the descriptor stays open somewhere. */
export function unlockFile(descriptor: number): void {
  libc().call.flock(descriptor, LOCK_UN);
}

/**
 * Closes a file and lets its lock go at once. By closing alone it would last until the
 * copy is gone that a process has which is just being started: until its own exec.
 */
export function closeUnlocked(descriptor: number): void {
  unlockFile(descriptor);
  close(descriptor);
}

/**
 * Who holds a lock on the file, as messages call it: `process 4711 (spillway)`. The
 * system tells only of processes that this one can see, in /proc/locks: proc(5).
 */
export function lockHolder(descriptor: number): string {
  const process = processWithLock(descriptor);
  if (process === undefined) return "another process";
  const name = textOf(`/proc/${process}/comm`).trim();
  return name === "" ? `process ${process}` : `process ${process} (${name})`;
}

/** `1: FLOCK  ADVISORY  WRITE 4711 fe:00:2146884 0 EOF` */
const FLOCK = /^\d+: FLOCK +\S+ +\S+ +(\d+) ([0-9a-f]+):([0-9a-f]+):(\d+) /gm;

function processWithLock(descriptor: number): string | undefined {
  const found = status(descriptor);
  if (typeof found === "number") return undefined;
  for (const [, process, major, minor, inode] of textOf("/proc/locks").matchAll(FLOCK)) {
    const identity = `${parseInt(major!, 16)}:${parseInt(minor!, 16)}:${inode}`;
    if (identity === found.identity) return process;
  }
  return undefined;
}

function textOf(path: string): string {
  const bytes = readFile(path);
  return typeof bytes === "string" ? "" : new TextDecoder().decode(bytes);
}
