import { UsageError } from "../errors.ts";
import { fifoKind } from "./fifo_sink.ts";
import { fileKind } from "./file/file_sink.ts";
import { httpKind } from "./http/http_kinds.ts";
import { natsKind } from "./nats/nats_kinds.ts";
import { tcpKind, unixKind } from "./network/stream_kinds.ts";
import {
  syslogTcpKind,
  syslogTlsKind,
  syslogUdpKind,
  syslogUnixKind,
} from "./network/syslog_kinds.ts";
import {
  DESCRIPTORS,
  type Destination,
  type OutputSettings,
  type SinkKind,
} from "./sink.ts";
import { stderrKind, stdoutKind } from "./stdout_sink.ts";

/** Every kind of destination, in the order in which they are asked. */
const KINDS: readonly SinkKind<Destination>[] = [
  stdoutKind,
  stderrKind,
  fifoKind,
  tcpKind,
  unixKind,
  syslogUdpKind,
  syslogTcpKind,
  syslogTlsKind,
  syslogUnixKind,
  httpKind,
  natsKind,
  fileKind,
];

/** How each is written. */
export const DESTINATION_HELP = KINDS.flatMap(({ help }) => help ?? []).join("; ");

/** Something like `http://user:password@host`. */
const CREDENTIALS = /^[a-z][a-z0-9+]*:\/\/[^/?#]*@/i;

/** What people write for other things than a file in the working folder. */
const NAMES: Readonly<Record<string, string>> = {
  stdout: "write - for standard output",
  stderr: "write - and the shell's >&2 for standard error",
  syslog: "write syslog://HOST or syslog+unix:/dev/log",
  journald: "write syslog+unix:/dev/log, which journald reads",
  null: "write /dev/null",
};

/** What other programs call it, and how it is written here. */
function otherwise(output: string): string | undefined {
  const [, scheme = "", rest = ""] = /^([a-z0-9+.-]+):(?:\/\/)?(.*)$/is.exec(output) ??
    [];
  switch (scheme.toLowerCase()) {
    case "file":
      return `write the path alone, as in --output ${rest || "PATH"}`;
    case "udp":
    case "syslog+udp":
      return `write syslog://${rest} for syslog over UDP; nothing else goes over it`;
    case "tcp":
      return `write tcp://${rest}`;
    case "tls":
    case "ssl":
    case "tcp+tls":
      return `write syslog+tls://${rest} or https://${rest}`;
    case "unixgram":
      return `write syslog+unix:${rest}`;
    case "fd":
      return "write - for standard output";
  }
  return undefined;
}

/** What was given to --output, as messages show it: a server's query may hold a key. */
export function shownOutput(output: string): string {
  return output.replace(/^([a-z][a-z0-9+.-]*:\/[^?#]*\?).*$/is, "$1…");
}

/** @throws UsageError when no kind of destination looks like this, or it is malformed. */
export function parseDestination(output: string, settings: OutputSettings): Destination {
  if (CREDENTIALS.test(output)) {
    throw new UsageError(
      "the destination holds credentials, which everybody could read in the list of processes; remove what comes before the @",
    );
  }
  if (Object.hasOwn(NAMES, output)) {
    throw new UsageError(
      `"${output}" would be a file of that name; ${
        NAMES[output]
      }, or ./${output} if a file is meant`,
    );
  }
  for (const kind of KINDS) {
    const destination: Destination | undefined = kind.parse(output, settings);
    if (destination !== undefined) return destination;
  }
  const shown = shownOutput(output);
  throw new UsageError(
    `"${shown}" is no destination that is known; ${
      otherwise(shown) ?? "see --help"
    }, or write ./${shown} for a file`,
  );
}

/** The kind of a destination that `parseDestination` has made. */
export function kindOf(destination: Destination): SinkKind<Destination> {
  const kind = KINDS.find(({ kind }) => kind === destination.kind);
  if (kind === undefined) throw new Error(`no sink is of kind ${destination.kind}`);
  return kind;
}

/** The name of the loop that the destination's outlet is to be in. */
export function loopOf(destination: Destination): string {
  return kindOf(destination).loop?.(destination) ?? DESCRIPTORS;
}
