/** A disk that hangs: whoever writes to it waits in the kernel, and cannot even be killed. */

import { assert } from "@std/assert";
import { isInstalled } from "./installed.ts";
import { inFolder } from "./run.ts";

/** The least that ext4 takes with a journal is 2 MiB. */
const DISK_BYTES = 8 * 1024 * 1024;

export interface HangingDisk {
  readonly folder: string;
  /** From now on nothing is written to it … */
  hang(): Promise<void>;
  /** … until now. Harmless where it does not hang. */
  goOn(): Promise<void>;
}

async function run(command: string, ...args: string[]): Promise<boolean> {
  return (await new Deno.Command(command, { args, stderr: "null" }).output()).success;
}

/** A file system of its own, for the time of a test. */
export async function onHangingDisk(
  test: (disk: HangingDisk) => Promise<void>,
): Promise<void> {
  await inFolder(async (parent) => {
    const [image, folder] = [`${parent}/image`, `${parent}/disk`];
    Deno.mkdirSync(folder);
    Deno.writeFileSync(image, new Uint8Array());
    Deno.truncateSync(image, DISK_BYTES);
    assert(await run("mkfs.ext4", "-q", image));
    assert(await run("mount", "-o", "loop", image, folder));
    const goOn = async () => void await run("fsfreeze", "--unfreeze", folder);
    try {
      await test({
        folder,
        hang: async () => assert(await run("fsfreeze", "--freeze", folder)),
        goOn,
      });
    } finally {
      await goOn();
      await run("umount", "-l", folder);
    }
  });
}

/** A container may have root's name and no disks of its own. */
function canMount(): boolean {
  if (Deno.uid() !== 0 || !isInstalled("mkfs.ext4") || !isInstalled("fsfreeze")) {
    return false;
  }
  const folder = Deno.makeTempDirSync({ prefix: "spillway-test-" });
  try {
    const script = `truncate -s ${DISK_BYTES} "$0/image" && mkfs.ext4 -q "$0/image" &&
      mkdir "$0/disk" && mount -o loop "$0/image" "$0/disk" && umount "$0/disk"`;
    const args = ["-c", script, folder];
    return new Deno.Command("sh", { args, stdout: "null", stderr: "null" })
      .outputSync().success;
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

export const NEEDS_DISKS = { ignore: !canMount(), why: "root and loop devices" };
