/** What happens to the names in folders: inotify(7). */

import { close, read } from "./descriptors.ts";
import { EAGAIN, result } from "./errno.ts";
import { libc } from "./libc.ts";
import { addressOf, cStringAt } from "./memory.ts";

/** From <sys/inotify.h>. */
export const IN_ATTRIB = 0x4;
export const IN_MOVED_FROM = 0x40;
export const IN_MOVED_TO = 0x80;
export const IN_CREATE = 0x100;
export const IN_DELETE = 0x200;
export const IN_DELETE_SELF = 0x400;
export const IN_MOVE_SELF = 0x800;
const IN_Q_OVERFLOW = 0x4000;
export const IN_ONLYDIR = 0x100_0000;

const IN_NONBLOCK = 0o4000;
const IN_CLOEXEC = 0o2000000;

/** `struct inotify_event`: what was watched, the event, a cookie and how long the name is. */
const HEADER_BYTES = 16;
/** Some hundred events; what does not fit is reported by the next read. */
const BUFFER_BYTES = 64 * 1024;

const decoder = new TextDecoder();

/** What has happened since the last time. */
interface NameEvents {
  /** @param name in the folder that is watched; empty for the folder itself */
  onEvent(watch: number, mask: number, name: string): void;
  /** There was too much: anything may have happened. */
  onOverflow(): void;
}

/** Folders that are watched. One thread only. */
export class Inotify {
  /** To be waited for; `-errno` when the process or its user may have no more. */
  readonly descriptor: number;
  readonly #buffer = new DataView(new ArrayBuffer(BUFFER_BYTES));
  readonly #bytes = new Uint8Array(this.#buffer.buffer);

  constructor() {
    this.descriptor = result(libc().call.inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  }

  /** Watches what is at a path from now on: the number of the watch, or `-errno`. */
  add(path: string, mask: number): number {
    return result(libc().call.inotify_add_watch(this.descriptor, cStringAt(path), mask));
  }

  remove(watch: number): void {
    libc().call.inotify_rm_watch(this.descriptor, watch);
  }

  /** Tells of all that has happened; does not wait. @returns 0 or `-errno` */
  take(events: NameEvents): number {
    for (;;) {
      const count = read(this.descriptor, addressOf(this.#bytes), BUFFER_BYTES);
      if (count === -EAGAIN) return 0;
      if (count < 0) return count;
      for (let at = 0; at < count;) at += this.#tell(at, events);
    }
  }

  /** @returns how long the event is */
  #tell(at: number, events: NameEvents): number {
    const watch = this.#buffer.getInt32(at, true);
    const mask = this.#buffer.getUint32(at + 4, true);
    const length = this.#buffer.getUint32(at + 12, true);
    if ((mask & IN_Q_OVERFLOW) !== 0) {
      events.onOverflow();
    } else {
      const start = at + HEADER_BYTES;
      const end = this.#bytes.indexOf(0, start);
      const name = length === 0 ? "" : decoder.decode(this.#bytes.subarray(start, end));
      events.onEvent(watch, mask, name);
    }
    return HEADER_BYTES + length;
  }

  close(): void {
    close(this.descriptor);
  }
}
