/** How many files a process may have open: getrlimit(2). */

import process from "node:process";
import { raisesOpenFilesLimit } from "../runtime/raised_limits.ts";
import { result } from "./errno.ts";
import { readFile } from "./files.ts";
import { libc } from "./libc.ts";
import { addressOf } from "./memory.ts";

/** The limit that counts, and what it may be raised to. */
interface Limit {
  readonly soft: number;
  readonly hard: number;
}

const RLIMIT_NOFILE = 7;

/** That of this process; Infinity where it is unknown. */
export function openFilesLimit(): Limit {
  // struct rlimit
  const words = new BigUint64Array(2);
  const address = addressOf(new Uint8Array(words.buffer));
  const outcome = result(libc().call.getrlimit(RLIMIT_NOFILE, address));
  if (outcome < 0) return { soft: Infinity, hard: Infinity };
  return { soft: Number(words[0]), hard: Number(words[1]) };
}

/**
 * How many files this program could have open when it was started. Where the runtime has
 * raised the soft limit, what it was is written down nowhere; what the parent has is the
 * best guess, since limits are inherited. Where the parent cannot be asked, or is not the
 * one they came from, it is the raised limit.
 */
export function openFilesLimitAtStart(): Limit {
  const now = openFilesLimit();
  const inherited = raisesOpenFilesLimit() ? parentsOpenFilesLimit() : undefined;
  return inherited?.hard === now.hard && inherited.soft < now.soft ? inherited : now;
}

/** Sets that of this process. A soft limit up to the hard one is always granted. */
export function setOpenFilesLimit({ soft, hard }: Limit): void {
  const words = BigUint64Array.of(BigInt(soft), BigInt(hard));
  libc().call.setrlimit(RLIMIT_NOFILE, addressOf(new Uint8Array(words.buffer)));
}

const LIMITS_LINE = /^Max open files +(\d+) +(\d+) /m;
const MAX_LIMITS_BYTES = 16 * 1024;

/** That of the process which has started this one; undefined where it is unknown. */
function parentsOpenFilesLimit(): Limit | undefined {
  const text = readFile(`/proc/${process.ppid}/limits`, MAX_LIMITS_BYTES);
  if (typeof text === "string") return undefined;
  const match = LIMITS_LINE.exec(new TextDecoder().decode(text));
  return match ? { soft: Number(match[1]), hard: Number(match[2]) } : undefined;
}
