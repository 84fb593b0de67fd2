import { close } from "../../src/system/descriptors.ts";
import { poll } from "../../src/system/poll.ts";

/**
 * Closes one end of a pipe; when this returns, nobody has it open. A child of another
 * test that has not begun its program yet still has all descriptors of this process.
 */
export function closeEnd(end: number, other: number): void {
  close(end);
  // POLLHUP or POLLERR; 0 where a signal came first.
  while (poll(other, 0, -1) === 0);
}
