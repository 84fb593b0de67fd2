import { EINVAL, ENOSYS, ESPIPE } from "../../system/errno.ts";
import { fsync, waitWritten, writeOut } from "../../system/files.ts";

/** There is another step to do. */
export const MORE = 1;

/** Where there is no such call for the file, the last step does all by itself. */
const IMPOSSIBLE: readonly number[] = [-ENOSYS, -EINVAL, -ESPIPE];

/**
 * Makes a file lasting in three steps: its data sets out for the disk, is there, and then
 * what says where it is. Between them come those of other files that end at the same time.
 * A file system such as ext4 commits its journal for each file that is synced by itself;
 * when the data of a thousand is there before the first is synced, few commits do for all.
 */
export class GradualSync {
  readonly #steps = [writeOut, waitWritten, fsync];

  /** Does the next step: MORE, 0 when it is lasting, or `-errno`. */
  step(descriptor: number): number {
    const step = this.#steps.shift()!;
    const outcome = step(descriptor);
    // The kernel reports what has gone wrong with the data once, to whoever asks first.
    const failed = outcome < 0 && (step === fsync || !IMPOSSIBLE.includes(outcome));
    if (failed) return outcome;
    return this.#steps.length > 0 ? MORE : 0;
  }
}
