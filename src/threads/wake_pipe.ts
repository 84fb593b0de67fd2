import { write } from "../system/descriptors.ts";
import { addressOf } from "../system/memory.ts";

const WAKE_UP = new Uint8Array(1);

/** Makes the reader look at the board and the rings. Any thread. */
export function wakeReader(wakePipe: readonly [number, number]): void {
  // A full pipe wakes the reader just as well.
  write(wakePipe[1], addressOf(WAKE_UP), 1);
}
