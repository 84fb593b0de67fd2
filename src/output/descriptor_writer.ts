import { SinkClosedError, SinkError, SinkFailure } from "../errors.ts";
import type { Outgoing } from "../formats/format.ts";
import { write } from "../system/descriptors.ts";
import { describeError, EAGAIN, EBADF, EPIPE } from "../system/errno.ts";
import { POLLOUT, PollSet } from "../system/poll.ts";

/**
 * Writes to a descriptor, blocking or not. A descriptor that would block is
 * waited for in poll(2), so that a short write is always known as such.
 */
export class DescriptorWriter {
  readonly #poll = new PollSet(1);

  /**
   * @param name how messages call the destination
   * @param maxWriteBytes for blocking pipes: what they take whole or not at all
   */
  constructor(
    readonly name: string,
    public descriptor: number,
    readonly maxWriteBytes = Infinity,
  ) {}

  /** See `Sink.write`. @param to where to stop */
  write(piece: Outgoing, from: number, to = piece.length): number {
    const length = Math.min(to - from, this.maxWriteBytes);
    const count = write(this.descriptor, piece.address + from, length);
    if (count >= 0) return count;
    if (count === -EAGAIN) {
      this.#poll.watch(0, this.descriptor, POLLOUT);
      this.#poll.wait(-1);
      return 0;
    }
    const reason = describeError(-count);
    if (count === -EPIPE) {
      throw new SinkClosedError(`${this.name} was closed by its reader: ${reason}`);
    }
    if (count === -EBADF) {
      throw new SinkError(
        `cannot write to ${this.name}: ${reason}; open it for writing, or name an --output`,
      );
    }
    throw new SinkFailure(`cannot write to ${this.name}: ${reason}`);
  }
}
