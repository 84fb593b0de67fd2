/** A systemd-journald of Debian's, in a mount namespace of its own. */

import { exists, Server } from "./peers.ts";

const DAEMON = "/lib/systemd/systemd-journald";

/** Only root can give it a namespace. */
export const HAS_JOURNALD = Deno.uid() === 0 && exists(DAEMON);

/** It keeps all in memory, and takes nothing of the machine's own journal. */
const SCRIPT = `set -e
  mount -t tmpfs tmpfs /run
  mkdir -p /run/systemd/journal /run/log
  echo 0123456789abcdef0123456789abcdef >/run/machine-id
  [ -e /etc/machine-id ] && mount --bind /run/machine-id /etc/machine-id
  exec ${DAEMON}`;

/** What is looked at of a message in the journal. */
export interface JournalEntry {
  readonly MESSAGE: string;
  readonly PRIORITY: string;
  readonly SYSLOG_FACILITY: string;
  readonly SYSLOG_PID: string;
}

export class Journald {
  readonly #server = new Server(
    ["unshare", "--mount", "--propagation", "private", "bash", "-c", SCRIPT],
    () => exists(this.socket),
  );

  start(): Promise<void> {
    return this.#server.start();
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }

  /** The one that /dev/log leads to. */
  get socket(): string {
    return `/proc/${this.#server.pid}/root/run/systemd/journal/dev-log`;
  }

  /** What `journalctl -t tag` finds. */
  entries(tag: string): JournalEntry[] {
    const { stdout } = new Deno.Command("nsenter", {
      args: [
        ...["-t", `${this.#server.pid}`, "-m", "journalctl", "--no-pager", "-q"],
        ...["-o", "json", "-t", tag],
      ],
    }).outputSync();
    return new TextDecoder().decode(stdout).trimEnd().split("\n").filter((line) => line)
      .map((line) => JSON.parse(line));
  }
}
