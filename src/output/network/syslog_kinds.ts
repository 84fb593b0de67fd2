/** Syslog messages: RFC 5424 over UDP, TCP and TLS, the local dialect over Unix datagrams. */

import { UsageError } from "../../errors.ts";
import type { FormatName } from "../../formats/formats.ts";
import { DEFAULT_IDENTITY, type SyslogIdentity } from "../../formats/syslog.ts";
import { type Destination, SERVED, type Sink, type SinkKind } from "../sink.ts";
import { parseHostPort } from "../../host_port.ts";
import { type Settings, splitSettings } from "./address.ts";
import { SocketConnection } from "./socket_connection.ts";
import { DatagramSink } from "./datagram_sink.ts";
import { octetCounting } from "./framing.ts";
import { checkUnixPath, loopOfPeer, type Peer, unixPeer } from "./peer.ts";
import { afterScheme, timeoutIn } from "./stream_kinds.ts";
import { StreamSink } from "./stream_sink.ts";
import { loadTls, TLS_SETTINGS, type TlsFiles, tlsFilesIn } from "./tls_settings.ts";
import { TlsConnection } from "./tls_connection.ts";

interface SyslogDestination<P extends Peer> extends Destination {
  readonly peer: P;
  readonly syslog: SyslogIdentity;
  /** Of the ways that have them; elsewhere the settings are refused. */
  readonly timeoutMs: number;
  readonly tls: TlsFiles;
}

/** One way to send syslog messages. */
interface SyslogWay<P extends Peer> {
  readonly kind: string;
  readonly help: string;
  readonly scheme: string;
  /** Its settings beside `facility` and `tag`. */
  readonly settings: readonly string[];
  /** The first is its default. */
  readonly formats: readonly [FormatName, ...FormatName[]];
  /** @throws UsageError */
  peerOf(address: string): P;
  /** @throws PermanentError */
  open(destination: SyslogDestination<P>): Sink;
  loop?(destination: SyslogDestination<P>): string;
  readonly maxLineBytes?: number;
}

function syslogKind<P extends Peer>(
  { scheme, settings: known, peerOf, ...way }: SyslogWay<P>,
): SinkKind<SyslogDestination<P>> {
  const { kind, formats } = way;
  return {
    ...way,
    format: formats[0],
    parse: (output) => {
      const address = afterScheme(output, scheme);
      if (address === undefined) return undefined;
      const { rest, settings } = splitSettings(address, "?", [
        "facility",
        "tag",
        ...known,
      ]);
      return {
        kind,
        name: scheme + rest,
        peer: peerOf(rest),
        syslog: identityIn(settings),
        timeoutMs: timeoutIn(settings),
        tls: tlsFilesIn(settings),
      };
    },
  };
}

/**
 * What receivers take by default, rsyslogd among them, and fits a datagram even where
 * each byte becomes an escape of four.
 */
const DATAGRAM_LINE_BYTES = 8 * 1024;

/** RFC 5426 and, for TCP, what everybody uses. */
const SYSLOG_PORT = 514;
/** RFC 5425 */
const SYSLOG_TLS_PORT = 6514;

export const syslogUdpKind = syslogKind({
  kind: "syslog",
  help: "syslog://HOST",
  scheme: "syslog://",
  maxLineBytes: DATAGRAM_LINE_BYTES,
  loop: ({ peer }) => loopOfPeer(peer),
  settings: [],
  formats: ["rfc5424"],
  peerOf: (address) => parseHostPort(address, SYSLOG_PORT),
  open: ({ name, peer }) => new DatagramSink(name, peer),
});

export const syslogTcpKind = syslogKind({
  kind: "syslog+tcp",
  help: "syslog+tcp://HOST",
  scheme: "syslog+tcp://",
  loop: ({ peer }) => loopOfPeer(peer),
  settings: ["timeout"],
  formats: ["rfc5424"],
  peerOf: (address) => parseHostPort(address, SYSLOG_PORT),
  open: ({ name, peer, timeoutMs }) =>
    new StreamSink(
      name,
      octetCounting,
      () => new SocketConnection(name, peer, timeoutMs),
    ),
});

export const syslogTlsKind = syslogKind({
  kind: "syslog+tls",
  help: "syslog+tls://HOST",
  scheme: "syslog+tls://",
  settings: ["timeout", ...TLS_SETTINGS],
  formats: ["rfc5424"],
  loop: () => SERVED,
  peerOf: (address) => parseHostPort(address, SYSLOG_TLS_PORT),
  open: ({ name, peer, tls, timeoutMs }) => {
    // What is wrong now can be put right now.
    loadTls(tls);
    const connect = () => new TlsConnection(name, peer, tls, timeoutMs);
    return new StreamSink(name, octetCounting, connect);
  },
});

/** Mostly to /dev/log, whose servers do not understand RFC 5424 unless configured to. */
export const syslogUnixKind = syslogKind({
  kind: "syslog+unix",
  help: "syslog+unix:/dev/log",
  scheme: "syslog+unix:",
  maxLineBytes: DATAGRAM_LINE_BYTES,
  settings: [],
  formats: ["local-syslog", "rfc5424"],
  peerOf: unixPeer,
  open: ({ name, peer }) => {
    checkUnixPath(name, peer.path);
    return new DatagramSink(name, peer);
  },
});

/** RFC 5424, table 1, by the names that syslog.conf(5) uses. */
const FACILITIES = [
  ...["kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron"],
  ...["authpriv", "ftp", "ntp", "audit", "alert", "clock"],
  ...["local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"],
];

/** RFC 5424, APP-NAME; but what would end the tag in the local dialect is refused everywhere. */
const TAG = /^[!-9;-Z\\^-~]{1,48}$/;

/** The settings `facility` and `tag`. @throws UsageError */
function identityIn(settings: Settings): SyslogIdentity {
  const tag = settings.get("tag");
  if (tag !== undefined && !TAG.test(tag)) {
    throw new UsageError(
      `tag=${tag} is not a tag: those have 1 to 48 letters, digits and signs, and no spaces, colons or brackets`,
    );
  }
  const name = settings.get("facility");
  if (name === undefined) return { ...DEFAULT_IDENTITY, tag };
  const facility = FACILITIES.includes(name) ? FACILITIES.indexOf(name) : Number(name);
  if (!/^\d+$|^[a-z]/.test(name) || !(facility < FACILITIES.length)) {
    throw new UsageError(
      `facility=${name} is not one of ${FACILITIES.join(", ")} or a number from 0 to ${
        FACILITIES.length - 1
      }`,
    );
  }
  return { facility, tag };
}
