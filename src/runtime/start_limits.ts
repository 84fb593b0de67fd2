import process from "node:process";
import { type Limit, openFilesLimit, parentsOpenFilesLimit } from "../system/limits.ts";

/**
 * How many files this program could have open when it was started. Bun and `deno run`
 * raise the soft limit before any of our code runs, and what it was is written down
 * nowhere; what the parent has is the best guess, since limits are inherited. Where the
 * parent cannot be asked, or is not the one they came from, it is the raised limit.
 */
export function openFilesLimitAtStart(): Limit {
  const now = openFilesLimit();
  const inherited = raisedByRuntime() ? parentsOpenFilesLimit() : undefined;
  return inherited?.hard === now.hard && inherited.soft < now.soft ? inherited : now;
}

function raisedByRuntime(): boolean {
  return process.versions.bun !== undefined || !Deno.build.standalone;
}
