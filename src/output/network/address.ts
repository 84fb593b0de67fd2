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

/** A setting that is one of some words. @throws UsageError */
export function wordIn(
  settings: Settings,
  name: string,
  words: readonly string[],
  standard: string,
): string {
  const text = settings.get(name) ?? standard;
  if (words.includes(text)) return text;
  throw new UsageError(`${name}=${text} is not one of ${words.join(", ")}`);
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
