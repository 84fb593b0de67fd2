/** The program that starts a child, in both runtimes. */

import { type Program, PROGRAMS } from "../end_to_end/programs.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const STARTER = new URL("starter.ts", import.meta.url).pathname;
const BUN = PROGRAMS.find(({ name }) => name.endsWith("-bun"))!;

/** The executable that is made with Bun is also Bun itself, when asked to be. */
export const BUN_STARTER: Program = {
  name: "Bun",
  command: ["env", "BUN_BE_BUN=1", ...BUN.command, STARTER],
  missing: BUN.missing,
};

export const STARTERS: readonly Program[] = [
  {
    name: "Deno",
    command: [
      ...[Deno.execPath(), "run", "--quiet", "--no-prompt", "--allow-ffi"],
      ...[`--allow-read=${ROOT}`, STARTER],
    ],
    missing: false,
  },
  BUN_STARTER,
];
