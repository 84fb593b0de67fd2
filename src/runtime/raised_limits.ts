import process from "node:process";

/** Bun and `deno run` raise the soft limit of open files before any of our code runs. */
export function raisesOpenFilesLimit(): boolean {
  return process.versions.bun !== undefined || !Deno.build.standalone;
}
