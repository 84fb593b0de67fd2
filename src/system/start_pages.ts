import { close, O_RDONLY, open, read } from "./descriptors.ts";
import { libc } from "./libc.ts";
import { addressOf } from "./memory.ts";

const MADV_DONTNEED = 4;
/** What does not fit is not looked at; an ordinary process has a third of it. */
const MAX_SMAPS_BYTES = 1024 * 1024;

/**
 * Gives back the pages of the executable that the runtime needed to start up, half
 * of what is resident then. The kernel still has them and maps those again that
 * are touched again, without a word to the disk. Best effort: where /proc does not
 * tell, the pages stay. Any thread, while none loads a library.
 */
export function releaseStartPages(): void {
  for (const { address, bytes } of cleanFilePages(readSmaps())) {
    libc().call.madvise(address, bytes, MADV_DONTNEED);
  }
}

function readSmaps(): string {
  const file = open("/proc/self/smaps", O_RDONLY);
  if (file < 0) return "";
  const buffer = new Uint8Array(MAX_SMAPS_BYTES);
  const address = addressOf(buffer);
  let length = 0;
  for (let count = 1; count > 0; length += Math.max(0, count)) {
    count = read(file, address + length, buffer.length - length);
  }
  close(file);
  return new TextDecoder().decode(buffer.subarray(0, length));
}

interface AddressRange {
  readonly address: number;
  readonly bytes: number;
}

const MAPPING = /^(?=[0-9a-f]+-[0-9a-f]+ )/m;
/** Private, from a file, and not writable. */
const FILE_MAPPING = /^([0-9a-f]+)-([0-9a-f]+) r-[x-]p \S+ \S+ \S+ +\//;
/** No page differs from the file, as those do that the loader has relocated. */
const UNCHANGED = /^Anonymous: +0 kB$/m;

/** Mappings that hold nothing but what is in a file: proc_pid_smaps(5). */
export function cleanFilePages(smaps: string): AddressRange[] {
  return smaps.split(MAPPING).flatMap((mapping) => {
    const head = FILE_MAPPING.exec(mapping);
    if (head === null || !UNCHANGED.test(mapping)) return [];
    const address = parseInt(head[1]!, 16);
    return { address, bytes: parseInt(head[2]!, 16) - address };
  });
}
