/** A disk that can be looked at as it is after a power cut. */

import { assert } from "@std/assert";

const MIB = 1024 * 1024;
const IMAGE_BYTES = 64 * MIB;

/** Whether a file can be mounted as a disk: by root, where there are loop devices. */
export const CAN_MOUNT_IMAGES = Deno.uid() === 0 &&
  ["/dev/loop-control", "/usr/sbin/mkfs.ext4"].every((path) => {
    try {
      Deno.statSync(path);
      return true;
    } catch {
      return false;
    }
  });

async function command(name: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(name, { args }).output();
  assert(success, `${name} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}

/** An ext4 in a file, which is mounted for the time of a test. */
export async function onImage(
  folder: string,
  test: (mounted: string, image: DiskImage) => Promise<void>,
): Promise<void> {
  const image = `${folder}/image`;
  Deno.writeTextFileSync(image, "");
  Deno.truncateSync(image, IMAGE_BYTES);
  await command("mkfs.ext4", "-q", "-F", image);
  await mounted(image, `${folder}/disk`, (disk) => test(disk, new DiskImage(folder)));
}

async function mounted(
  image: string,
  disk: string,
  test: (disk: string) => Promise<void>,
): Promise<void> {
  Deno.mkdirSync(disk);
  await command("mount", "-o", "loop", image, disk);
  try {
    await test(disk);
  } finally {
    await command("umount", "-l", disk);
  }
}

export class DiskImage {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Has everything written that was changed so far. */
  async sync(): Promise<void> {
    await command("sync", "-f", `${this.#folder}/disk`);
  }

  /** What the disk has at this moment, as it is found at the next start. */
  async cut(test: (disk: string) => Promise<void>): Promise<void> {
    const copy = `${this.#folder}/image-after`;
    Deno.copyFileSync(`${this.#folder}/image`, copy);
    await mounted(copy, `${this.#folder}/disk-after`, test);
  }
}
