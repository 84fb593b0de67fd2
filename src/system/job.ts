/** Process groups and their terminal, as job control has them: credentials(7), tty(4). */

import { close, O_RDWR, open, STDIN } from "./descriptors.ts";
import { readFile } from "./files.ts";
import { result } from "./errno.ts";
import { libc } from "./libc.ts";
import { addressOf } from "./memory.ts";

/** Where a process is among the others of its terminal. */
export interface Job {
  readonly group: number;
  readonly isSessionLeader: boolean;
  /** The process group that gets what is typed; undefined without a terminal. */
  readonly foreground: number | undefined;
}

const STAT = "/proc/self/stat";
const MAX_STAT_BYTES = 4096;
const decoder = new TextDecoder();

/** Of this process, now. */
export function currentJob(): Job {
  const stat = readFile(STAT, MAX_STAT_BYTES);
  if (typeof stat === "string") {
    throw new Error(`cannot read ${STAT}: ${stat}`);
  }
  return jobIn(decoder.decode(stat));
}

/** @param stat proc_pid_stat(5) */
export function jobIn(stat: string): Job {
  const pid = parseInt(stat);
  // The name, in parentheses, may hold anything.
  const [, , group, session, terminal, foreground] = stat
    .slice(stat.lastIndexOf(")") + 2).split(" ").map(Number);
  return {
    group: group!,
    isSessionLeader: session === pid,
    foreground: terminal === 0 ? undefined : foreground!,
  };
}

const TIOCSPGRP = 0x5410;

/**
 * Lets a process group have what is typed at this process's terminal, or `-errno`. By
 * itself the system stops a process that does so from the background (SIGTTOU).
 */
export function bringToForeground(group: number): number {
  const terminal = open("/dev/tty", O_RDWR);
  const address = addressOf(new Uint8Array(Int32Array.of(group).buffer));
  // A container may have a terminal without that name for it.
  const descriptor = terminal < 0 ? STDIN : terminal;
  const outcome = result(libc().call.ioctl(descriptor, TIOCSPGRP, address));
  if (terminal >= 0) close(terminal);
  return outcome;
}
