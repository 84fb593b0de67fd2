import process from "node:process";
import { VERSION } from "./about.ts";
import { completionScript, SHELLS } from "./completions.ts";
import { fullHelp, shortHelp } from "./help.ts";
import { manualPage } from "./manual_page.ts";
import type { RawFlags } from "./parse.ts";
import { choice } from "./values.ts";

/**
 * What is to be printed in place of carrying logs; undefined where nothing is asked for.
 *
 * @throws UsageError for completions of a shell that is not known
 */
export function informationFor(
  flags: RawFlags,
  args: readonly string[],
): string | undefined {
  if (flags.has("help")) return args.includes("--help") ? fullHelp() : shortHelp();
  if (flags.has("version")) {
    const { deno, bun } = process.versions;
    return `spillway ${VERSION} (${bun ? `Bun ${bun}` : `Deno ${deno}`})`;
  }
  if (flags.has("man")) return manualPage();
  if (flags.has("completions")) {
    return completionScript(choice(flags, "completions", SHELLS));
  }
  return undefined;
}
