/** A disk that is soon full. */

import { assert } from "@std/assert";
import { inFolder } from "./run.ts";

/** A tmpfs of that size, for the time of a test. Needs root. */
export async function onSmallDisk(
  bytes: number,
  test: (folder: string) => Promise<void>,
): Promise<void> {
  await inFolder(async (folder) => {
    const mount = ["-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs", folder];
    assert((await new Deno.Command("mount", { args: mount }).output()).success);
    try {
      await test(folder);
    } finally {
      await new Deno.Command("umount", { args: ["-l", folder] }).output();
    }
  });
}
