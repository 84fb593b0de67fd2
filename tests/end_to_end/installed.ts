/** Programs of Debian packages, and rights, that some tests need. */

/** Adds to a test's name why it is ignored, where a program is missing. */
export function needing(
  name: string,
  command: string,
  debianPackage: string,
): { name: string; ignore: boolean } {
  const { ignore, why } = needingProgram(command, debianPackage);
  return { name: ignore ? `${name} (needs ${why})` : name, ignore };
}

/** What a test needs that runs `command`, or reads the file at this path. */
export function needingProgram(
  command: string,
  debianPackage: string,
): { ignore: boolean; why: string } {
  return {
    ignore: !(command.startsWith("/") ? isFile(command) : isInstalled(command)),
    why: `${command} of the Debian package ${debianPackage}`,
  };
}

export const NEEDS_ROOT = { ignore: Deno.uid() !== 0, why: "root" };
export const NEEDS_PYTHON = needingProgram("python3", "python3");
/** Also where it is installed a process may not be traced. */
export const NEEDS_STRACE = {
  ignore: !succeeds("strace", "-o", "/dev/null", "-e", "inject=write:error=EIO", "true"),
  why: "strace of the Debian package strace",
};

function succeeds(command: string, ...args: string[]): boolean {
  if (!isInstalled(command)) return false;
  return new Deno.Command(command, { args, stdout: "null", stderr: "null" })
    .outputSync().success;
}

export function isInstalled(command: string): boolean {
  const folders = (Deno.env.get("PATH") ?? "").split(":");
  return folders.some((folder) => isFile(`${folder}/${command}`));
}

export function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
