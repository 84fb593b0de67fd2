import { PermanentError, TemporaryError, UsageError } from "../../errors.ts";
import {
  describeError,
  EACCES,
  EHOSTUNREACH,
  ENOENT,
  EPERM,
  EPROTOTYPE,
} from "../../system/errno.ts";
import { status } from "../../system/file_status.ts";
import {
  isAddress,
  MAX_UNIX_PATH_BYTES,
  resolve,
  type SocketAddress,
  type SocketType,
  unixAddress,
} from "../../system/socket_addresses.ts";
import { DESCRIPTORS } from "../sink.ts";
import { connect } from "../../system/sockets.ts";

/** Where to connect to. */
export type Peer =
  | { readonly host: string; readonly port: number }
  | { readonly path: string };

/** Whoever finds names keeps the thread waiting; addresses are there already. */
export function loopOfPeer(peer: Peer): string {
  if ("path" in peer || isAddress(peer.host)) return DESCRIPTORS;
  return `host ${peer.host}`;
}

/**
 * A datagram socket that sends to the peer; the peer is not asked. Blocks for as long as
 * the name servers take.
 *
 * @param name how messages call the peer
 * @throws TemporaryError when it may work later, PermanentError when it cannot.
 */
export function datagramSocket(name: string, peer: Peer): number {
  let outcome = -EHOSTUNREACH;
  for (const address of addressesOf(name, peer, "datagram")) {
    outcome = connect(address, "datagram");
    if (outcome >= 0) return outcome;
  }
  throw cannotConnect(name, peer, "datagram", -outcome);
}

/**
 * Where the peer is. Blocks for as long as the name servers take.
 *
 * @throws TemporaryError when its name is not known.
 */
export function addressesOf(
  name: string,
  peer: Peer,
  type: SocketType,
): readonly SocketAddress[] {
  if ("path" in peer) return [unixAddress(peer.path)];
  const addresses = resolve(peer.host, peer.port, type);
  if (typeof addresses !== "string") return addresses;
  throw new TemporaryError(`cannot find ${name}: ${addresses}`);
}

/**
 * What it means that connecting has failed at every address. Only a socket in the file
 * system can be of the wrong kind or belong to somebody else; a firewall may forbid a
 * connection for as long as there is nobody to take it.
 */
export function cannotConnect(
  name: string,
  peer: Peer,
  type: SocketType,
  errno: number,
): TemporaryError | PermanentError {
  const reason = describeError(errno);
  if ("path" in peer && (errno === EACCES || errno === EPERM)) {
    return new PermanentError(
      `cannot connect to ${name}: ${reason}; this user needs the right to write to it`,
    );
  }
  if ("path" in peer && errno === EPROTOTYPE) {
    return new PermanentError(
      `cannot connect to ${name}: ${reason}; use ${
        type === "stream" ? "syslog+unix:PATH" : "unix:PATH"
      } for a ${type === "stream" ? "datagram" : "stream"} socket`,
    );
  }
  return new TemporaryError(`cannot connect to ${name}: ${reason}`);
}

/**
 * What a peer that was reached before is found to be now may pass: it may be on its way
 * back, and have its rights not yet.
 */
export function passing(error: unknown): unknown {
  return error instanceof PermanentError ? new TemporaryError(error.message) : error;
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

/** @throws PermanentError when no socket can ever be at this path. */
export function checkUnixPath(name: string, path: string): void {
  const found = status(path);
  if (typeof found !== "number") {
    if (found.kind === "socket") return;
    throw new PermanentError(
      `cannot connect to ${name}: not a socket but a ${found.kind}; name the socket that the receiver listens on`,
    );
  }
  const folder = path.replace(/[^/]*$/, "") || ".";
  const folderFound = status(folder);
  if (found === -ENOENT && typeof folderFound !== "number") return;
  throw new PermanentError(
    `cannot connect to ${name}: ${
      describeError(-found)
    }; its folder must exist and be open to this user`,
  );
}
