/** What the system says of this process and lets it say of itself. */

import { UsageError } from "../errors.ts";
import { isText } from "../text.ts";
import { result } from "./errno.ts";
import { readFile } from "./files.ts";
import { libc } from "./libc.ts";
import { addressOf, cStringAt, stringAt } from "./memory.ts";

const decoder = new TextDecoder();

/** A variable of the environment that the program was started with. */
export function environment(name: string): string | undefined {
  return stringAt(Number(libc().call.getenv(cStringAt(name))));
}

/**
 * All variables whose names begin with `prefix`, as the program was started with them.
 * Deno would have to be allowed to read the whole environment to list it.
 *
 * @throws UsageError for one that is not UTF-8, and would mean something else
 */
export function environmentVariables(prefix: string): ReadonlyMap<string, string> {
  const path = "/proc/self/environ";
  const bytes = readFile(path);
  if (typeof bytes === "string") {
    throw new Error(`cannot read ${path}: ${bytes}; mount /proc`);
  }
  const variables = new Map<string, string>();
  for (let from = 0, end; from < bytes.length; from = end + 1) {
    end = bytes.indexOf(0, from);
    if (end < 0) end = bytes.length;
    const entry = bytes.subarray(from, end);
    const text = decoder.decode(entry);
    const equals = text.indexOf("=");
    if (equals < 0 || !text.startsWith(prefix)) continue;
    const name = text.slice(0, equals);
    if (!isText(entry)) {
      throw new UsageError(`the variable ${name} in the environment is not UTF-8`);
    }
    variables.set(name, text.slice(equals + 1));
  }
  return variables;
}

const BOOT_ID_BYTES = 64;

/** A name for the time since the machine was started; empty where /proc does not say it. */
export function bootId(): string {
  // Longer reads of what is in there are refused.
  const bytes = readFile("/proc/sys/kernel/random/boot_id", BOOT_ID_BYTES);
  return typeof bytes === "string" ? "" : decoder.decode(bytes).trim();
}

const HOST_NAME_MAX = 64;

/** The name that this machine, or this container, has for itself; empty without one. */
export function hostName(): string {
  const name = new Uint8Array(HOST_NAME_MAX + 1);
  const outcome = result(libc().call.gethostname(addressOf(name), name.length));
  return outcome < 0 ? "" : decoder.decode(name.subarray(0, name.indexOf(0)));
}

const PRIO_PROCESS = 0;
const LOWEST_PRIORITY = 19;

/** The calling thread gets the processor and the disk when others leave them. */
export function yieldToOthers(): void {
  // On Linux 0 means this thread and not, as POSIX has it, the whole process. A
  // thread may always lower its own priority, so there is nothing to check.
  libc().call.setpriority(PRIO_PROCESS, 0, LOWEST_PRIORITY);
}

/** The system's number for the calling thread. */
export function threadId(): number {
  return libc().call.gettid();
}

/** What a thread of this process has been doing. */
export interface ThreadActivity {
  /** It has a processor, or waits for one and for nothing else. */
  readonly isRunnable: boolean;
  /** How often it has begun to wait for something else. */
  readonly sleeps: number;
}

/** Many times what proc_pid_status(5) says of a thread. */
const MAX_STATUS_BYTES = 16 * 1024;

/** Undefined where the system does not tell. */
export function activityOf(threadId: number): ThreadActivity | undefined {
  const bytes = readFile(`/proc/self/task/${threadId}/status`, MAX_STATUS_BYTES);
  if (typeof bytes === "string") return undefined;
  const status = decoder.decode(bytes);
  const sleeps = /^voluntary_ctxt_switches:\s*(\d+)$/m.exec(status)?.[1];
  if (sleeps === undefined) return undefined;
  return { isRunnable: /^State:\s*R/m.test(status), sleeps: Number(sleeps) };
}

/** The number of the user whose rights this process has. */
export function ownUser(): number {
  return libc().call.geteuid() >>> 0;
}
