/** RFC 5424 messages over UDP, TCP, TLS and Unix datagrams. */

import { UsageError } from "../../errors.ts";
import { DEFAULT_IDENTITY, type SyslogIdentity } from "../../formats/rfc5424.ts";
import type { Destination, SinkKind } from "../sink.ts";
import { parseHostPort, type Settings, splitSettings } from "./address.ts";
import { Connection } from "./connection.ts";
import { DatagramSink } from "./datagram_sink.ts";
import { octetCounting } from "./framing.ts";
import { checkUnixPath, type Peer, unixPeer } from "./peer.ts";
import { afterScheme, timeoutIn } from "./stream_kinds.ts";
import { StreamSink } from "./stream_sink.ts";
import { loadTls, TLS_SETTINGS, type TlsFiles, tlsFilesIn } from "./tls_settings.ts";
import { TlsConnection } from "./tls_connection.ts";

interface SyslogDestination extends Destination {
  readonly peer: Peer;
  readonly syslog: SyslogIdentity;
}

/** RFC 5426 and, for TCP, what everybody uses. */
const SYSLOG_PORT = 514;
const IDENTITY_SETTINGS = ["facility", "tag"];

/** `--output syslog://HOST[:PORT]` */
export const syslogUdpKind: SinkKind<SyslogDestination> = {
  kind: "syslog",
  help: "syslog://HOST",
  format: "rfc5424",
  formats: ["rfc5424"],
  parse: (output) => {
    const address = afterScheme(output, "syslog://");
    if (address === undefined) return undefined;
    const { rest, settings } = splitSettings(address, "?", IDENTITY_SETTINGS);
    return {
      kind: "syslog",
      name: `syslog://${rest}`,
      peer: parseHostPort(rest, SYSLOG_PORT),
      syslog: identityIn(settings),
    };
  },
  open: ({ name, peer }) => new DatagramSink(name, peer),
};

/** `--output syslog+unix:PATH`, mostly /dev/log */
export const syslogUnixKind: SinkKind<
  SyslogDestination & { readonly peer: { path: string } }
> = {
  kind: "syslog+unix",
  help: "syslog+unix:/dev/log",
  format: "rfc5424",
  formats: ["rfc5424"],
  parse: (output) => {
    const address = afterScheme(output, "syslog+unix:");
    if (address === undefined) return undefined;
    const { rest, settings } = splitSettings(address, "?", IDENTITY_SETTINGS);
    return {
      kind: "syslog+unix",
      name: `syslog+unix:${rest}`,
      peer: unixPeer(rest),
      syslog: identityIn(settings),
    };
  },
  open: ({ name, peer }) => {
    checkUnixPath(name, peer.path);
    return new DatagramSink(name, peer);
  },
};

/** `--output syslog+tcp://HOST[:PORT]` */
export const syslogTcpKind: SinkKind<
  SyslogDestination & { readonly timeoutMs: number }
> = {
  kind: "syslog+tcp",
  help: "syslog+tcp://HOST",
  format: "rfc5424",
  formats: ["rfc5424"],
  parse: (output) => {
    const address = afterScheme(output, "syslog+tcp://");
    if (address === undefined) return undefined;
    const known = [...IDENTITY_SETTINGS, "timeout"];
    const { rest, settings } = splitSettings(address, "?", known);
    return {
      kind: "syslog+tcp",
      name: `syslog+tcp://${rest}`,
      peer: parseHostPort(rest, SYSLOG_PORT),
      syslog: identityIn(settings),
      timeoutMs: timeoutIn(settings),
    };
  },
  open: ({ name, peer, timeoutMs }) =>
    new StreamSink(name, octetCounting, () => new Connection(name, peer, timeoutMs)),
};

/** RFC 5425 */
const SYSLOG_TLS_PORT = 6514;

/** `--output syslog+tls://HOST[:PORT]` */
export const syslogTlsKind: SinkKind<
  SyslogDestination & {
    readonly peer: { readonly host: string; readonly port: number };
    readonly timeoutMs: number;
    readonly tls: TlsFiles;
  }
> = {
  kind: "syslog+tls",
  help: "syslog+tls://HOST",
  format: "rfc5424",
  formats: ["rfc5424"],
  parse: (output) => {
    const address = afterScheme(output, "syslog+tls://");
    if (address === undefined) return undefined;
    const known = [...IDENTITY_SETTINGS, "timeout", ...TLS_SETTINGS];
    const { rest, settings } = splitSettings(address, "?", known);
    return {
      kind: "syslog+tls",
      name: `syslog+tls://${rest}`,
      peer: parseHostPort(rest, SYSLOG_TLS_PORT),
      syslog: identityIn(settings),
      timeoutMs: timeoutIn(settings),
      tls: tlsFilesIn(settings),
    };
  },
  open: ({ name, peer, tls, timeoutMs }) => {
    const settings = loadTls(tls);
    const connect = () => TlsConnection.open(name, peer, settings, timeoutMs);
    return new StreamSink(name, octetCounting, connect);
  },
};

/** RFC 5424, table 1, by the names that syslog.conf(5) uses. */
const FACILITIES = [
  ...["kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron"],
  ...["authpriv", "ftp", "ntp", "audit", "alert", "clock"],
  ...["local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"],
];

/** RFC 5424, APP-NAME. */
const TAG = /^[!-~]{1,48}$/;

/** The settings `facility` and `tag`. @throws UsageError */
function identityIn(settings: Settings): SyslogIdentity {
  const tag = settings.get("tag") ?? DEFAULT_IDENTITY.tag;
  if (!TAG.test(tag)) {
    throw new UsageError(
      `tag=${tag} is not a tag: those have 1 to 48 letters, digits and signs, and no spaces`,
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
