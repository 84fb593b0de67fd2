import { UsageError } from "../../errors.ts";
import { MAX_UNIX_PATH_BYTES } from "../../platform/posix/socket_addresses.ts";
import { parseDuration } from "../../units.ts";
import type { Destination, SinkKind } from "../sink.ts";
import { parseHostPort, type Settings, splitSettings } from "./address.ts";
import { checkUnixPath, type Peer } from "./connection.ts";
import { newlineFraming } from "./framing.ts";
import { StreamSink } from "./stream_sink.ts";

interface StreamDestination extends Destination {
  readonly peer: Peer;
  readonly timeoutMs: number;
}

/** `--output tcp://HOST:PORT` */
export const tcpKind: SinkKind<StreamDestination> = {
  kind: "tcp",
  help: "tcp://HOST:PORT",
  format: "raw",
  parse: (output) => {
    const address = afterScheme(output, "tcp://");
    if (address === undefined) return undefined;
    const { rest, settings } = splitSettings(address, "?", ["timeout"]);
    return {
      kind: "tcp",
      name: `tcp://${rest}`,
      peer: parseHostPort(rest),
      timeoutMs: timeoutIn(settings),
    };
  },
  open: ({ name, peer, timeoutMs }) =>
    new StreamSink(name, peer, newlineFraming, timeoutMs),
};

/** `--output unix:PATH` */
export const unixKind: SinkKind<StreamDestination & { readonly peer: { path: string } }> =
  {
    kind: "unix",
    help: "unix:PATH",
    format: "raw",
    parse: (output) => {
      const path = afterScheme(output, "unix:");
      if (path === undefined) return undefined;
      const timeoutMs = ANSWER_TIMEOUT_MS;
      return { kind: "unix", name: output, peer: unixPeer(path), timeoutMs };
    },
    open: ({ name, peer, timeoutMs }) => {
      checkUnixPath(name, peer.path);
      return new StreamSink(name, peer, newlineFraming, timeoutMs);
    },
  };

/** What comes after a destination's scheme, if it has that scheme. */
export function afterScheme(output: string, scheme: string): string | undefined {
  return output.startsWith(scheme) ? output.slice(scheme.length) : undefined;
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

/** How long a peer may leave us without an answer, unless `?timeout=` says otherwise. */
const ANSWER_TIMEOUT_MS = 30_000;
const MIN_TIMEOUT_MS = 100;

/** The setting `timeout`. @throws UsageError */
export function timeoutIn(settings: Settings): number {
  const text = settings.get("timeout");
  const timeoutMs = text === undefined ? ANSWER_TIMEOUT_MS : parseDuration(text);
  if (timeoutMs < MIN_TIMEOUT_MS) {
    throw new UsageError(`timeout=${text} is too short; at least ${MIN_TIMEOUT_MS}ms`);
  }
  return timeoutMs;
}
