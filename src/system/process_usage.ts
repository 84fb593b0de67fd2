/** What the system says of what this process uses. */

import { status } from "./file_status.ts";
import { readFile } from "./files.ts";
import { openFilesLimit } from "./limits.ts";

export interface ProcessUsage {
  /** Of all threads. */
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  readonly virtualBytes: number;
  /** Linux counts them for whoever asks since 6.2. */
  readonly openFiles: number | undefined;
  readonly maxOpenFiles: number;
}

/** Of USER_HZ, in which /proc counts on every machine: see proc(5) and time(7). */
const TICKS_PER_SECOND = 100;
/** Of /proc/self/stat behind the name, which may hold anything: see proc(5). */
const USER_TICKS = 11;
const SYSTEM_TICKS = 12;

/** Reads /proc, which both runtimes need as well; what is not there is 0. */
export function processUsage(): ProcessUsage {
  const stat = text("/proc/self/stat");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields[USER_TICKS] ?? 0) + Number(fields[SYSTEM_TICKS] ?? 0);
  const memory = text("/proc/self/status");
  const bytes = (name: string) =>
    1024 * Number(new RegExp(`^${name}:\\s*(\\d+) kB`, "m").exec(memory)?.[1] ?? 0);
  const descriptors = status("/proc/self/fd");
  const count = typeof descriptors === "number" ? 0 : descriptors.bytes;
  return {
    cpuSeconds: ticks / TICKS_PER_SECOND,
    residentBytes: bytes("VmRSS"),
    virtualBytes: bytes("VmSize"),
    openFiles: count === 0 ? undefined : count,
    maxOpenFiles: openFilesLimit().soft,
  };
}

/** Such files are short. */
const MAX_BYTES = 16 * 1024;

function text(path: string): string {
  const bytes = readFile(path, MAX_BYTES);
  return typeof bytes === "string" ? "" : new TextDecoder().decode(bytes);
}
