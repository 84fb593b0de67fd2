/** What follows the scheme of a network destination. */

import { UsageError } from "../../errors.ts";

/** Settings after the question mark: `?tag=api&facility=local0`. */
export type Settings = ReadonlyMap<string, string>;

/**
 * Parts `rest?name=value&name=value`.
 *
 * @throws UsageError for a setting that is not known, without a value or given twice.
 */
export function splitSettings(
  text: string,
  separator: "?" | "#",
  known: readonly string[],
): { rest: string; settings: Settings } {
  const at = text.indexOf(separator);
  const settings = new Map<string, string>();
  if (at < 0) return { rest: text, settings };
  for (const [name, value] of new URLSearchParams(text.slice(at + 1))) {
    if (!known.includes(name)) {
      throw new UsageError(
        `"${name}" is no setting of this destination; it takes ${known.join(", ")}`,
      );
    }
    if (value.includes("\ufffd") && !isDecodable(text.slice(at + 1))) {
      throw new UsageError(`"${name}" holds bytes that are not UTF-8`);
    }
    if (value === "") throw new UsageError(`"${name}" needs a value: ${name}=…`);
    if (settings.has(name)) throw new UsageError(`"${name}" was given twice`);
    settings.set(name, value);
  }
  return { rest: text.slice(0, at), settings };
}

/** False where the bytes that percent signs encode are not UTF-8. */
function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text.replaceAll(/%(?![0-9a-f]{2})/gi, "%25"));
    return true;
  } catch (error) {
    if (error instanceof URIError) return false;
    throw error;
  }
}

const MAX_PORT = 65_535;

/**
 * `HOST:PORT`, `HOST` or `[IPv6]:PORT`.
 *
 * @param standardPort where the port may be left out
 * @throws UsageError that says what would be right.
 */
export function parseHostPort(
  text: string,
  standardPort?: number,
): { host: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+(?:%[\w.-]+)?)\]|([^\s:/[\]]+))(?::(\d{1,5}))?$/
    .exec(text);
  if (match === null) {
    throw new UsageError(
      `"${text}" is not HOST:PORT; write a name or an address and a port, such as logs.example.org:6514 or [::1]:6514`,
    );
  }
  const [, v6, name, digits] = match;
  const port = digits === undefined ? standardPort : Number(digits);
  if (port === undefined) {
    throw new UsageError(`"${text}" has no port; write ${text}:PORT`);
  }
  if (port < 1 || port > MAX_PORT) {
    throw new UsageError(`port ${port} of "${text}" is not from 1 to ${MAX_PORT}`);
  }
  return { host: (v6 ?? name)!, port };
}
