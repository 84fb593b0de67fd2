import { PermanentError, SinkClosedError, TemporaryError } from "../errors.ts";
import type { Outgoing } from "../formats/format.ts";
import { write } from "../system/descriptors.ts";
import { describeError, EAGAIN, EBADF, EPIPE } from "../system/errno.ts";
import { POLLOUT } from "../system/poll.ts";
import type { Sink } from "./sink.ts";
import type { Wait } from "./wait.ts";

/** A file that would block, as one of a user's file system may, cannot be polled. */
const FILE_RETRY_MS = 10;

/** How bytes get to a descriptor: as many as it takes now, or `-errno`, as `write`. */
export type Put = (descriptor: number, address: number, length: number) => number;

/** Writes to a descriptor what that takes, without waiting for it to take more. */
export class DescriptorSink implements Sink {
  readonly #put: Put;

  /**
   * @param name how messages call the destination
   * @param put what does not block; files may
   * @param canBeWaitedFor false for regular files
   */
  constructor(
    readonly name: string,
    readonly descriptor: number,
    put: Put = write,
    readonly canBeWaitedFor = true,
  ) {
    this.#put = put;
  }

  /** See `Sink.write`. @param to where to stop */
  write(piece: Outgoing, from: number, wait: Wait, to = piece.length): number {
    const count = this.#put(this.descriptor, piece.address + from, to - from);
    if (count >= 0) return count;
    if (count === -EAGAIN) {
      if (this.canBeWaitedFor) wait.forDescriptor(this.descriptor, POLLOUT);
      else wait.until(performance.now() + FILE_RETRY_MS);
      return 0;
    }
    const reason = describeError(-count);
    if (count === -EPIPE) {
      throw new SinkClosedError(`${this.name} was closed by its reader: ${reason}`);
    }
    if (count === -EBADF) {
      throw new PermanentError(
        `cannot write to ${this.name}: ${reason}; open it for writing, or name an --output`,
      );
    }
    throw new TemporaryError(`cannot write to ${this.name}: ${reason}`);
  }

  /** What the kernel has taken is the reader's; closing is left to the exit. */
  finish(): boolean {
    return true;
  }
}
