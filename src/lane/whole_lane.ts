import { kernels } from "../kernels/kernels.ts";
import type { Lane } from "./lane.ts";
import { WHOLE_CHECK, WORDS_BYTES } from "./layout.ts";

/**
 * Says at the end of a run that all that is kept of the lane is as it should be: if it is
 * found so after the machine was restarted, the disk has all of it. While no other thread
 * has the lane; if one does after all, it is not found so.
 */
export function seal(lane: Lane, seed: number): void {
  new DataView(lane.memory.buffer).setFloat64(
    lane.at + WHOLE_CHECK,
    checkOf(lane, seed),
    true,
  );
}

export function isSealed(lane: Lane, seed: number): boolean {
  const sealed = new DataView(lane.memory.buffer).getFloat64(lane.at + WHOLE_CHECK, true);
  return sealed === checkOf(lane, seed);
}

function checkOf({ memory, at, outputAt }: Lane, seed: number): number {
  const { checksum } = kernels(memory);
  const rest = at + WORDS_BYTES;
  return checksum(rest, outputAt - rest, checksum(at, WHOLE_CHECK, seed));
}
