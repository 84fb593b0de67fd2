/** Shorter values are no secrets, and may appear in any message by chance. */
export const MIN_SECRET_LENGTH = 6;

/**
 * What of a query must not appear in any message, since there may be a key in it: all of
 * it, and each value, as it was written and as it is meant.
 *
 * @param path with its query, if any
 */
export function secretsInQuery(path: string): string[] {
  const at = path.indexOf("?");
  if (at < 0) return [];
  const query = path.slice(at + 1);
  const values = query.split("&").map((part) => part.slice(part.indexOf("=") + 1));
  return [query, ...values, ...new URLSearchParams(query).values()]
    .filter(({ length }) => length >= MIN_SECRET_LENGTH);
}
