import { PermanentError, UsageError } from "../../errors.ts";
import { canShowCertificate } from "../../runtime/upgradable.ts";
import { formatHostPort, parseHostPort } from "../../host_port.ts";
import { type Settings, splitSettings, wordIn } from "../network/address.ts";
import { timeoutIn } from "../network/stream_kinds.ts";
import {
  loadTls,
  TLS_SETTINGS,
  type TlsFiles,
  tlsFilesIn,
} from "../network/tls_settings.ts";
import { type Destination, SERVED, type SinkKind } from "../sink.ts";
import {
  checkNatsCredentials,
  NATS_CREDENTIAL_SETTINGS,
  natsCredentialsIn,
} from "./nats_credentials.ts";
import { NatsSink } from "./nats_sink.ts";
import type { NatsTarget } from "./nats_target.ts";

interface NatsDestination extends Destination, NatsTarget {
  /** Undefined without TLS. */
  readonly tls: TlsFiles | undefined;
}

const STANDARD_PORT = 4222;
const SETTINGS = ["batch", "create", "replicas", "timeout", ...NATS_CREDENTIAL_SETTINGS];
/** An election takes seconds, and a message that got lost in it is not answered at all. */
const ANSWER_TIMEOUT_MS = 5000;
/** The most that JetStream makes. */
const MAX_REPLICAS = 5;

/** `--output nats://HOST[:PORT][,HOST[:PORT]…]/SUBJECT?SETTINGS`, and with TLS. */
export const natsKind: SinkKind<NatsDestination> = {
  kind: "nats",
  help: "nats://HOST/SUBJECT or nats+tls://HOST/SUBJECT",
  format: "ndjson",
  parse: (output) => {
    const [, scheme, address] = /^(nats|nats\+tls):\/\/(.*)$/s.exec(output) ?? [];
    if (scheme === undefined || address === undefined) return undefined;
    const secure = scheme === "nats+tls";
    const known = secure ? [...SETTINGS, ...TLS_SETTINGS] : SETTINGS;
    const { rest, settings } = splitSettings(address, "?", known);
    const [hosts, subject] = splitOnce(rest, "/");
    return {
      kind: "nats",
      name: `${scheme}://${rest}`,
      servers: hosts.split(",").map(serverOf),
      subject: checkSubject(subject),
      messagePerRecord: wordIn(settings, "batch", ["lines", "line"], "lines") === "line",
      create: createIn(settings),
      credentials: natsCredentialsIn(settings),
      timeoutMs: timeoutIn(settings, ANSWER_TIMEOUT_MS),
      tls: secure ? tlsFilesIn(settings) : undefined,
    };
  },
  loop: () => SERVED,
  open: ({ tls, ...target }) => {
    checkNatsCredentials(target.credentials);
    if (tls?.cert !== undefined && !canShowCertificate) {
      throw new PermanentError(
        `cannot show the certificate in "${tls.cert}" to ${target.name}: Deno 2.4, with which this executable was made, does so only where a connection begins with TLS; use creds or nkey, or an executable with Bun or a later Deno inside`,
      );
    }
    if (tls !== undefined) loadTls(tls);
    return new NatsSink(target.name, target, tls);
  },
};

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

function serverOf(text: string): string {
  return formatHostPort(parseHostPort(text, STANDARD_PORT));
}

/** Tokens between dots, without the wildcards that subscribers use. */
function checkSubject(subject: string): string {
  if (/^[^\s.*>]+(\.[^\s.*>]+)*$/.test(subject)) return subject;
  throw new UsageError(
    `"${subject}" is no subject to publish to; write nats://HOST/NAME or NAME.NAME…, without spaces, * and >`,
  );
}

function createIn(settings: Settings): NatsTarget["create"] {
  const name = settings.get("create");
  const replicas = Number(settings.get("replicas") ?? 1);
  if (name === undefined) {
    if (!settings.has("replicas")) return undefined;
    throw new UsageError("replicas goes with create: it says how many the stream has");
  }
  if (!/^[^\s.*>/\\]{1,255}$/.test(name)) {
    throw new UsageError(
      `create=${name} is no name for a stream; letters, digits, - and _ are`,
    );
  }
  if (!Number.isInteger(replicas) || replicas < 1 || replicas > MAX_REPLICAS) {
    throw new UsageError(
      `replicas=${settings.get("replicas")} is not a number from 1 to ${MAX_REPLICAS}`,
    );
  }
  return { name, replicas };
}
