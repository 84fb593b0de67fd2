import { Buffer } from "node:buffer";
import { TemporaryError, UsageError } from "../../errors.ts";
import { readFile } from "../../system/files.ts";
import { environment } from "../../system/process.ts";
import type { Settings } from "../network/address.ts";

/** The variables that hold credentials where no file does. */
const VARIABLES = {
  bearer: "SPILLWAY_HTTP_BEARER",
  basic: "SPILLWAY_HTTP_BASIC",
} as const;

type Scheme = keyof typeof VARIABLES;
const SCHEMES = Object.keys(VARIABLES) as Scheme[];

export const CREDENTIAL_VARIABLES: readonly string[] = Object.values(VARIABLES);

/** `bearer=PATH` of a token, or `basic=PATH` of `user:password`. */
export const CREDENTIAL_SETTINGS: readonly string[] = SCHEMES;

export interface CredentialFile {
  readonly scheme: Scheme;
  readonly path: string;
}

/** @throws UsageError when there are two. */
export function credentialFileIn(settings: Settings): CredentialFile | undefined {
  const [scheme, other] = SCHEMES.filter((name) => settings.has(name));
  if (other !== undefined) {
    throw new UsageError("bearer and basic do not go together; name one file");
  }
  return scheme && { scheme, path: settings.get(scheme)! };
}

interface Credentials {
  /** The value of the header Authorization. */
  readonly header: string;
  /** What must not appear in any message, in each of its forms. */
  readonly secrets: readonly string[];
}

/**
 * The credentials to send now, from a file or the environment, and never from the
 * command line, which everybody can read. Asked for with every request: tokens
 * expire, and are replaced in their file.
 *
 * @throws TemporaryError when they cannot be read or cannot be sent.
 */
export function readCredentials(
  file: CredentialFile | undefined,
): Credentials | undefined {
  if (file !== undefined) {
    const bytes = readFile(file.path);
    if (typeof bytes === "string") {
      throw new TemporaryError(
        `cannot read the credentials in "${file.path}": ${bytes}; this user must be allowed to read it`,
      );
    }
    const text = new TextDecoder().decode(bytes).trim();
    return credentials(file.scheme, text, `"${file.path}"`);
  }
  for (const scheme of SCHEMES) {
    const text = environment(VARIABLES[scheme]);
    if (text) return credentials(scheme, text, VARIABLES[scheme]);
  }
  return undefined;
}

/** RFC 6750 and RFC 7617. */
function credentials(scheme: Scheme, text: string, where: string): Credentials {
  if (scheme === "bearer") {
    if (!/^[!-~]+$/.test(text)) throw unusable(where, "a token");
    return { header: `Bearer ${text}`, secrets: [text] };
  }
  // deno-lint-ignore no-control-regex -- the point is to keep them out
  if (!/^[^:\x00-\x1f\x7f]+:[^\x00-\x1f\x7f]*$/.test(text)) {
    throw unusable(where, "user:password");
  }
  const encoded = Buffer.from(text).toString("base64");
  const password = text.slice(text.indexOf(":") + 1);
  return { header: `Basic ${encoded}`, secrets: [encoded, text, password] };
}

function unusable(where: string, what: string): TemporaryError {
  return new TemporaryError(`${where} does not hold ${what} and nothing else`);
}
