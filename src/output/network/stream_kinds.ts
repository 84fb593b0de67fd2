import { UsageError } from "../../errors.ts";
import { parseDuration } from "../../units.ts";
import type { Destination, SinkKind } from "../sink.ts";
import { parseHostPort } from "../../host_port.ts";
import { type Settings, splitSettings } from "./address.ts";
import { SocketConnection } from "./socket_connection.ts";
import { checkUnixPath, loopOfPeer, type Peer, unixPeer } from "./peer.ts";
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
  loop: ({ peer }) => loopOfPeer(peer),
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
    new StreamSink(
      name,
      newlineFraming,
      () => new SocketConnection(name, peer, timeoutMs),
    ),
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
      const connect = () => new SocketConnection(name, peer, timeoutMs);
      return new StreamSink(name, newlineFraming, connect);
    },
  };

/** What comes after a destination's scheme, if it has that scheme. */
export function afterScheme(output: string, scheme: string): string | undefined {
  return output.startsWith(scheme) ? output.slice(scheme.length) : undefined;
}

/** How long a peer may leave us without an answer, unless `?timeout=` says otherwise. */
const ANSWER_TIMEOUT_MS = 30_000;
const MIN_TIMEOUT_MS = 100;

/** The setting `timeout`. @throws UsageError */
export function timeoutIn(settings: Settings, standardMs = ANSWER_TIMEOUT_MS): number {
  const text = settings.get("timeout");
  const timeoutMs = text === undefined ? standardMs : parseDuration(text);
  if (timeoutMs < MIN_TIMEOUT_MS) {
    throw new UsageError(`timeout=${text} is too short; at least ${MIN_TIMEOUT_MS}ms`);
  }
  return timeoutMs;
}
