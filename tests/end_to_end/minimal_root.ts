/**
 * Root folders with nothing but an executable and the libraries that it links to,
 * and programs that run in them: as nobody, without a way to write, in a mount
 * namespace of their own. Only root can make them.
 */

import { needing, NEEDS_ROOT } from "./installed.ts";
import { makeLibstdcxx } from "./musl_libstdcxx.ts";
import { EXECUTABLES, MUSL_EXECUTABLE, type Program } from "./programs.ts";
import { type Running, startInShell } from "./run.ts";

/** Of Debian's package `musl`, and of every Alpine. */
const MUSL_LOADER = "/lib/ld-musl-x86_64.so.1";

/** What they need to be tried in a root folder of their own. */
export const MINIMAL_ROOT = {
  ...NEEDS_ROOT,
  programs: [
    ...EXECUTABLES,
    {
      ...MUSL_EXECUTABLE,
      missing: MUSL_EXECUTABLE.missing || !isFile(MUSL_LOADER) ||
        needing("", "g++", "g++").ignore,
    },
  ],
};

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** Makes the root folder `folder/root`; the executable is `/spillway` there. */
export async function makeRoot(program: Program, folder: string): Promise<void> {
  const root = `${folder}/root`;
  const executable = program.command[0]!;
  for (const name of ["proc", "dev", "run", "lib"]) {
    await Deno.mkdir(`${root}/${name}`, { recursive: true });
  }
  await Deno.copyFile(executable, `${root}/spillway`);
  if (program.name === MUSL_EXECUTABLE.name) {
    await Deno.copyFile(await Deno.realPath(MUSL_LOADER), root + MUSL_LOADER);
    await makeLibstdcxx(executable, folder);
    await Deno.copyFile(`${folder}/libstdc++.so.6`, `${root}/lib/libstdc++.so.6`);
    return;
  }
  const { stdout } = await new Deno.Command("ldd", { args: [executable] }).output();
  for (const [library] of new TextDecoder().decode(stdout).matchAll(/\/\S+/g)) {
    await Deno.mkdir(root + library.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.copyFile(await Deno.realPath(library), root + library);
  }
}

/**
 * Runs it in the root folder. `$root` is the folder in `prepare`, which runs
 * before it can no longer be written to; `redirections` are the shell's.
 */
export function startInRoot(
  program: Program,
  folder: string,
  args: readonly string[],
  { prepare = "", redirections = "" } = {},
): Running {
  const script = `set -e
    root=${folder}/root
    mount --bind "$root" "$root"
    ${prepare}
    mount -o remount,bind,ro "$root"
    mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
    shift
    exec chroot --userspec=65534:65534 "$root" /spillway "$@" ${redirections}`;
  const command = ["unshare", "--mount", "bash", "-c", script, "bash"];
  return startInShell(
    { ...program, command: [...command, "spillway"] },
    'exec "$@"',
    args,
  );
}
