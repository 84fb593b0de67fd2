import { SinkError, SinkFailure, UsageError } from "../../errors.ts";
import { close } from "../../system/descriptors.ts";
import {
  describeError,
  EACCES,
  ENOENT,
  EPERM,
  EPROTOTYPE,
  ETIMEDOUT,
} from "../../system/errno.ts";
import { status } from "../../system/file_status.ts";
import {
  MAX_UNIX_PATH_BYTES,
  resolve,
  type SocketAddress,
  type SocketType,
  unixAddress,
} from "../../system/socket_addresses.ts";
import { connect, connected } from "../../system/sockets.ts";

/** Where to connect to. */
export type Peer =
  | { readonly host: string; readonly port: number }
  | { readonly path: string };

/**
 * A connected socket, tried at all addresses of the peer. Blocks for up to
 * `timeoutMs` an address, and as long as the name servers take.
 *
 * @param name how messages call the peer
 * @throws SinkFailure when it may work later, SinkError when it cannot.
 */
export function connectTo(
  name: string,
  peer: Peer,
  type: SocketType,
  timeoutMs: number,
): number {
  const addresses = "path" in peer
    ? [unixAddress(peer.path)]
    : resolve(peer.host, peer.port, type);
  if (typeof addresses === "string") {
    throw new SinkFailure(`cannot find ${name}: ${addresses}`);
  }
  let errno = ETIMEDOUT;
  for (const address of addresses) {
    const socket = connectAddress(address, type, timeoutMs);
    if (socket >= 0) return socket;
    errno = -socket;
  }
  const reason = describeError(errno);
  if (errno === EACCES || errno === EPERM) {
    throw new SinkError(
      `cannot connect to ${name}: ${reason}; this user needs the right to write to it`,
    );
  }
  if (errno === EPROTOTYPE) {
    throw new SinkError(
      `cannot connect to ${name}: ${reason}; use ${
        type === "stream" ? "syslog+unix:PATH" : "unix:PATH"
      } for a ${type === "stream" ? "datagram" : "stream"} socket`,
    );
  }
  throw new SinkFailure(`cannot connect to ${name}: ${reason}`);
}

function connectAddress(address: SocketAddress, type: SocketType, timeoutMs: number) {
  const socket = connect(address, type);
  if (socket < 0 || type === "datagram") return socket;
  const outcome = connected(socket, timeoutMs);
  if (outcome === 0) return socket;
  close(socket);
  return outcome;
}

/** @throws UsageError when no socket can have this path. */
export function unixPeer(path: string): { path: string } {
  const bytes = new TextEncoder().encode(path).length;
  if (path === "" || bytes > MAX_UNIX_PATH_BYTES || path.includes("\0")) {
    throw new UsageError(
      `"${path}" is not the path of a socket: those have 1 to ${MAX_UNIX_PATH_BYTES} bytes`,
    );
  }
  return { path };
}

/** @throws SinkError when no socket can ever be at this path. */
export function checkUnixPath(name: string, path: string): void {
  const found = status(path);
  if (typeof found !== "number") {
    if (found.kind === "socket") return;
    throw new SinkError(
      `cannot connect to ${name}: not a socket but a ${found.kind}; name the socket that the receiver listens on`,
    );
  }
  const folder = path.replace(/[^/]*$/, "") || ".";
  const folderFound = status(folder);
  if (found === -ENOENT && typeof folderFound !== "number") return;
  throw new SinkError(
    `cannot connect to ${name}: ${
      describeError(-found)
    }; its folder must exist and be open to this user`,
  );
}
