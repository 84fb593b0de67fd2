import { close } from "../../src/system/descriptors.ts";
import { poll } from "../../src/system/poll.ts";

const PATIENCE_MS = 60_000;

/**
 * Closes one end of a pipe; when this returns, nobody has it open. A child of another
 * test that has not begun its program yet still has all descriptors of this process.
 */
export function closeEnd(end: number, other: number): void {
  close(end);
  const deadline = performance.now() + PATIENCE_MS;
  // POLLHUP or POLLERR; 0 where a signal came first.
  while (poll(other, 0, PATIENCE_MS) === 0) {
    if (performance.now() > deadline) throw new Error("somebody keeps the pipe open");
  }
}
