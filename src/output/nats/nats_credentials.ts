import type { Authenticator } from "@nats-io/nats-core";
import { PermanentError, TemporaryError, UsageError } from "../../errors.ts";
import { readFile } from "../../system/files.ts";
import type { Settings } from "../network/address.ts";

/** What each kind of file must look like, and what messages call that. */
const KINDS = {
  creds: {
    pattern: /-----BEGIN NATS USER JWT-----[^]*-----BEGIN USER NKEY SEED-----/,
    what: "a user's JWT and seed, as nsc and nats write them",
  },
  nkey: { pattern: /^SU[A-Z2-7]{56}$/, what: "a user's seed (SU…)" },
  // deno-lint-ignore no-control-regex -- the point is to keep them out
  basic: { pattern: /^[^:\x00-\x1f\x7f]+:[^\x00-\x1f\x7f]*$/, what: "user:password" },
  token: { pattern: /^[!-~]+$/, what: "a token" },
} as const;

type Kind = keyof typeof KINDS;
const NAMES = Object.keys(KINDS) as Kind[];

/** The settings that name files with credentials. */
export const NATS_CREDENTIAL_SETTINGS: readonly string[] = NAMES;

export interface NatsCredentials {
  readonly kind: Kind;
  readonly path: string;
}

/** @throws UsageError when there are two. */
export function natsCredentialsIn(settings: Settings): NatsCredentials | undefined {
  const [kind, other] = NAMES.filter((name) => settings.has(name));
  if (other !== undefined) {
    throw new UsageError(`${kind} and ${other} do not go together; name one file`);
  }
  return kind && { kind, path: settings.get(kind)! };
}

/** What the client is to authenticate with: options of its `connect`. */
interface NatsAuthentication {
  readonly user?: string;
  readonly pass?: string;
  readonly token?: string;
  readonly authenticator?: Authenticator;
}

const encoder = new TextEncoder();

type Client = typeof import("./nats_client.ts");

/**
 * Read for each connection: credentials expire, and are replaced in their file.
 *
 * @throws TemporaryError when they cannot be read or are none.
 */
export function authentication(
  credentials: NatsCredentials | undefined,
  client: Client,
): NatsAuthentication {
  if (credentials === undefined) return {};
  const text = read(credentials);
  switch (credentials.kind) {
    case "creds":
      // The client finds the end of the file only at the end of a line.
      return { authenticator: client.credsAuthenticator(encoder.encode(`${text}\n`)) };
    case "nkey":
      return { authenticator: client.nkeyAuthenticator(encoder.encode(text)) };
    case "basic": {
      const colon = text.indexOf(":");
      return { user: text.slice(0, colon), pass: text.slice(colon + 1) };
    }
    case "token":
      return { token: text };
  }
}

/** The same at the start, where what is wrong can be put right. @throws PermanentError */
export function checkNatsCredentials(credentials: NatsCredentials | undefined): void {
  try {
    if (credentials !== undefined) read(credentials);
  } catch (error) {
    throw error instanceof TemporaryError ? new PermanentError(error.message) : error;
  }
}

function read({ kind, path }: NatsCredentials): string {
  const bytes = readFile(path);
  if (typeof bytes === "string") {
    throw new TemporaryError(
      `cannot read the credentials in "${path}": ${bytes}; this user must be allowed to read it`,
    );
  }
  const text = new TextDecoder().decode(bytes).trim();
  const { pattern, what } = KINDS[kind];
  if (!pattern.test(text)) {
    throw new TemporaryError(`"${path}" does not hold ${what} and nothing else`);
  }
  return text;
}
