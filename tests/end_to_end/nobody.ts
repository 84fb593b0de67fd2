/** Programs that run as a user without rights; only root can start them so. */

import { EXECUTABLES, type Program } from "./programs.ts";
import { type Running, startInShell } from "./run.ts";

const UID = "65534";
/** Starts what follows as nobody. */
export const NOBODY = [
  ...["setpriv", "--reuid", UID, "--regid", UID, "--clear-groups", "--no-new-privs"],
];

export function startAsNobody(program: Program, args: readonly string[]): Running {
  return startInShell(program, `exec ${NOBODY.join(" ")} "$@"`, args);
}

/** The executables, if nobody may enter the folder that they are in. */
export const NOBODYS_PROGRAMS = {
  programs: EXECUTABLES,
  why: "root, in a folder that nobody may enter",
  ignore: Deno.uid() !== 0 || !nobodyMayEnter(new URL("../..", import.meta.url).pathname),
};

function nobodyMayEnter(folder: string): boolean {
  const [command, ...args] = NOBODY;
  return new Deno.Command(command!, { args: [...args, "test", "-r", folder] })
    .outputSync().success;
}
