import { InputError } from "../errors.ts";
import { isForWritingOnly } from "../system/descriptors.ts";
import { EBADF } from "../system/errno.ts";
import { status } from "../system/file_status.ts";
import { socketKind } from "../system/sockets.ts";

/**
 * What whoever has started the program has handed over open, if it can be read to an end.
 *
 * @returns the descriptor
 * @throws InputError where nothing would ever come of it, or not all.
 */
export function checkHandedOver(descriptor: number, name: string): number {
  const why = whyNotRead(descriptor);
  if (why === undefined) return descriptor;
  throw new InputError(`cannot read ${name}: ${why}`);
}

function whyNotRead(descriptor: number): string | undefined {
  const found = status(descriptor);
  if (found === -EBADF) return "it is closed; pipe something into it or name a --fifo";
  if (typeof found === "number") return undefined;
  if (found.kind === "directory") {
    return "it is a directory; redirect a file or a pipe into it";
  }
  if (isForWritingOnly(descriptor)) {
    return "it is open for writing only; redirect a file or a pipe into it";
  }
  return found.kind === "socket" ? whySocketIsNotRead(descriptor) : undefined;
}

function whySocketIsNotRead(descriptor: number): string | undefined {
  switch (socketKind(descriptor)) {
    case "listener":
      return "it is a socket that waits for connections; hand over a connected one (Accept=yes in a socket unit of systemd)";
    case "messages":
      return "it is a socket of messages, of which an empty one looks like the end; hand over a stream, or write to a --fifo";
    case "stream":
      return undefined;
  }
}
