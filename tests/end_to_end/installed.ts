/** Programs of Debian packages that some tests need. */

/** Adds to a test's name why it is ignored, where a program is missing. */
export function needing(
  name: string,
  command: string,
  debianPackage: string,
): { name: string; ignore: boolean } {
  return isInstalled(command) ? { name, ignore: false } : {
    name: `${name} (needs ${command} of the Debian package ${debianPackage})`,
    ignore: true,
  };
}

function isInstalled(command: string): boolean {
  const folders = (Deno.env.get("PATH") ?? "").split(":");
  return folders.some((folder) => {
    try {
      return Deno.statSync(`${folder}/${command}`).isFile;
    } catch {
      return false;
    }
  });
}
