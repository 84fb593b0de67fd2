/** What pipes have beside reading and writing: their two ends, and how much they hold. */

import { O_CLOEXEC, O_NONBLOCK } from "./descriptors.ts";
import { describeError, result } from "./errno.ts";
import { libc } from "./libc.ts";
import { addressOf } from "./memory.ts";

const F_SETFL = 4;
const F_SETPIPE_SZ = 1031;
const F_GETPIPE_SZ = 1032;
const FIONREAD = 0x541B;

/** POSIX: a pipe takes a write of at most so many bytes whole or not at all. */
export const PIPE_BUF = 4096;

/** A pipe whose two ends do not block: [read end, write end]. */
export function pipe(): [number, number] {
  return makePipe(O_NONBLOCK);
}

/** A pipe whose write end, which is for another program, blocks: [read end, write end]. */
export function pipeToReadFrom(): [number, number] {
  const ends = makePipe(0);
  libc().call.fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return ends;
}

function makePipe(flags: number): [number, number] {
  const ends = new Int32Array(2);
  const address = addressOf(new Uint8Array(ends.buffer));
  const status = result(libc().call.pipe2(address, flags | O_CLOEXEC));
  if (status < 0) throw new Error(`cannot make a pipe: ${describeError(-status)}`);
  return [ends[0]!, ends[1]!];
}

/** Asks for a kernel pipe of `bytes`; the kernel rounds up to a power of two. */
export function setPipeSize(descriptor: number, bytes: number): number {
  return result(libc().call.fcntl(descriptor, F_SETPIPE_SZ, bytes));
}

/** What the kernel pipe holds, in bytes. */
export function pipeSize(descriptor: number): number {
  return result(libc().call.fcntl(descriptor, F_GETPIPE_SZ, 0));
}

/** Bytes that can be read at once from a pipe (either end tells), terminal or socket. */
export function readableBytes(descriptor: number): number {
  const count = new Int32Array(1);
  const address = addressOf(new Uint8Array(count.buffer));
  const status = result(libc().call.ioctl(descriptor, FIONREAD, address));
  return status < 0 ? status : count[0]!;
}
