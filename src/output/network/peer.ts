import { PermanentError, TemporaryError, UsageError } from "../../errors.ts";
import { close, O_PATH, open } from "../../system/descriptors.ts";
import {
  describeError,
  EACCES,
  EHOSTUNREACH,
  ENOENT,
  EPERM,
  EPROTOTYPE,
} from "../../system/errno.ts";
import type { HostPort } from "../../host_port.ts";
import { status } from "../../system/file_status.ts";
import { refusalInSharedFolder } from "../../system/shared_folder.ts";
import {
  descriptorAddress,
  isAddress,
  MAX_UNIX_PATH_BYTES,
  resolve,
  type SocketType,
} from "../../system/socket_addresses.ts";
import { DESCRIPTORS } from "../sink.ts";
import { connect } from "../../system/sockets.ts";

/** Where to connect to. */
export type Peer = HostPort | { readonly path: string };

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
  for (const attempt of attemptsAt(name, peer, "datagram")) {
    outcome = attempt();
    if (outcome >= 0) return outcome;
  }
  throw cannotConnect(name, peer, "datagram", -outcome);
}

/**
 * A socket on its way to be connected, or `-errno`.
 *
 * @throws TemporaryError for a socket that must not be used.
 */
export type Attempt = () => number;

/**
 * What can be tried to reach the peer, best first. Blocks for as long as the name servers
 * take.
 *
 * @throws TemporaryError when its name is not known.
 */
export function attemptsAt(
  name: string,
  peer: Peer,
  type: SocketType,
): readonly Attempt[] {
  if ("path" in peer) return [() => connectToPath(name, peer.path, type)];
  const addresses = resolve(peer.host, peer.port, type);
  if (typeof addresses === "string") {
    throw new TemporaryError(`cannot find ${name}: ${addresses}`);
  }
  return addresses.map((address) => () => connect(address, type));
}

/** Connects to the very socket that was looked at, whatever has its name by then. */
function connectToPath(name: string, path: string, type: SocketType): number {
  const found = open(path, O_PATH);
  if (found < 0) return found;
  try {
    const socket = status(found);
    if (typeof socket === "number") return socket;
    const refusal = refusalInSharedFolder(path, socket);
    if (refusal === undefined) return connect(descriptorAddress(found), type);
    throw new TemporaryError(`cannot connect to ${name}: ${refusal}`);
  } finally {
    close(found);
  }
}

/**
 * What it means that connecting has failed at every address. Only a socket in the file
 * system can be of the wrong kind or belong to somebody else; a firewall may forbid a
 * connection for as long as there is no one to take it.
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

/** @throws PermanentError when no socket can ever be at this path, or another user's is. */
export function checkUnixPath(name: string, path: string): void {
  const found = status(path);
  if (typeof found !== "number") {
    const refusal = found.kind === "socket"
      ? refusalInSharedFolder(path, found)
      : `not a socket but a ${found.kind}; name the socket that the receiver listens on`;
    if (refusal === undefined) return;
    throw new PermanentError(`cannot connect to ${name}: ${refusal}`);
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
