/** Enough to see what a server means. */
const MAX_WORDS = 200;
/** Control and format characters, which could make a terminal do things. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu;

/**
 * What a server has said, fit for a message: of bounded length, in one line, and
 * without the secrets that it was sent.
 */
export function serverWords(text: string, secrets: readonly string[]): string {
  const line = secrets.filter((secret) => secret !== "")
    .reduce((shown, secret) => shown.replaceAll(secret, "…"), text)
    .slice(0, 8 * MAX_WORDS).replaceAll(UNPRINTABLE, " ").trim();
  return line.length > MAX_WORDS ? `${line.slice(0, MAX_WORDS)}…` : line;
}
