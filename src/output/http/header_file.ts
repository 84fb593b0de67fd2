import { TemporaryError } from "../../errors.ts";
import { readFile } from "../../system/files.ts";
import { MIN_SECRET_LENGTH } from "./query_secrets.ts";

/** What every request says of itself, and nobody else can know. */
const OWN = [
  ...["host", "content-length", "content-encoding", "transfer-encoding", "connection"],
  ...["idempotency-key", "expect", "upgrade", "te", "trailer"],
];

export interface Headers {
  /** `Name: value`, for a request. */
  readonly lines: readonly string[];
  /** In lower case. */
  readonly names: ReadonlySet<string>;
  /** What must not appear in any message. */
  readonly secrets: readonly string[];
}

const NONE: Headers = { lines: [], names: new Set(), secrets: [] };

/**
 * The headers to send now: the file's lines, each `Name: value` (RFC 9110). Asked for
 * with every request, as there may be tokens in them. No message quotes what the file holds.
 *
 * @throws TemporaryError when they cannot be read or cannot be sent.
 */
export function readHeaderFile(path: string | undefined): Headers {
  if (path === undefined) return NONE;
  const bytes = readFile(path);
  if (typeof bytes === "string") {
    throw new TemporaryError(
      `cannot read the headers in "${path}": ${bytes}; this user must be allowed to read it`,
    );
  }
  const headers = new TextDecoder().decode(bytes).split(/\r?\n/).flatMap(
    (line, index) => {
      if (line.trim() === "") return [];
      return [headerIn(line) ?? refuse(path, index + 1)];
    },
  );
  return {
    lines: headers.map(({ name, value }) => `${name}: ${value}`),
    names: new Set(headers.map(({ name }) => name.toLowerCase())),
    secrets: headers.flatMap(({ value }) => secretsIn(value)),
  };
}

/** A name is a token; a value has no control characters but tabs. */
// deno-lint-ignore no-control-regex -- the point is to keep them out
const HEADER = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*?)[ \t]*$/;

function headerIn(line: string): { name: string; value: string } | undefined {
  const [, name, value] = HEADER.exec(line) ?? [];
  if (name === undefined || value === undefined) return undefined;
  return OWN.includes(name.toLowerCase()) ? undefined : { name, value };
}

function refuse(path: string, line: number): never {
  throw new TemporaryError(
    `line ${line} of "${path}" is not a header to send; write Name: value, and none of ${
      OWN.join(", ")
    }`,
  );
}

/** A server may repeat all of a value, or the token that follows a scheme in it. */
function secretsIn(value: string): string[] {
  return [value, ...value.split(/\s+/)].filter(({ length }) =>
    length >= MIN_SECRET_LENGTH
  );
}
