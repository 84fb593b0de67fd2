/** Processes below this one: hearing of their ends, and sending them signals. */

import { ECHILD, result, retried } from "./errno.ts";
import { libc } from "./libc.ts";
import { addressOf } from "./memory.ts";

const WNOHANG = 1;
const WUNTRACED = 2;
const PR_SET_CHILD_SUBREAPER = 36;

/** What has become of a process below this one. */
type ProcessNews =
  | { readonly pid: number; readonly kind: "exited"; readonly code: number }
  | { readonly pid: number; readonly kind: "killed"; readonly signal: number }
  | { readonly pid: number; readonly kind: "stopped"; readonly signal: number };

/**
 * The next thing that has happened and has not been asked for yet, of a child or of an orphan
 * that has become one; undefined for none. It says each thing once: whoever else in this
 * process waits for a child takes it away.
 */
export function nextNews(): ProcessNews | undefined {
  const status = new Int32Array(1);
  const address = addressOf(new Uint8Array(status.buffer));
  const pid = retried(() => libc().call.waitpid(-1, address, WNOHANG | WUNTRACED));
  if (pid === 0 || pid === -ECHILD) return undefined;
  if (pid < 0) throw new Error(`waitpid failed with errno ${-pid}`);
  // The layout of wait(2), as the macros WIFEXITED and so on read it.
  const [low, high] = [status[0]! & 0x7F, (status[0]! >> 8) & 0xFF];
  if (low === 0) return { pid, kind: "exited", code: high };
  if (low === 0x7F) return { pid, kind: "stopped", signal: high };
  return { pid, kind: "killed", signal: low };
}

/**
 * From now on this process is the parent of every process below it whose own parent has
 * ended, as process 1 is anyway. Best effort: without it those go to another one.
 */
export function adoptOrphans(): void {
  libc().call.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

/** Sends a signal to a process, or to the process group `-pid`. */
export function kill(pid: number, signal: number): number {
  return result(libc().call.kill(pid, signal));
}
