/** What is looked at of a request. */
export interface RequestHead {
  readonly method: string;
  /** Without a query. */
  readonly path: string;
  /** Each Host field as it is: browsers send one. */
  readonly hosts: readonly string[];
  /** All Accept fields together. */
  readonly accept: string;
}

const MAX_BYTES = 8 * 1024;

/**
 * Reads the head of a request, as RFC 9112 has it; a line may also end with a bare
 * newline, as people type it. Nothing here takes longer than in proportion to the length,
 * whatever was sent: signals and deadlines are waiting for the same thread.
 *
 * @param received from the beginning, at least one byte
 * @returns undefined while it is incomplete; a status for what is no such head
 */
export function parseHead(received: string): RequestHead | 400 | 431 | undefined {
  // The beginning of TLS would wait for an answer that it never gets.
  if (!/^[!-~\r\n]/.test(received)) return 400;
  const start = received.slice(0, MAX_BYTES);
  const end = start.search(/\n\r?\n/);
  if (end < 0) return received.length > MAX_BYTES ? 431 : undefined;
  const [first = "", ...lines] = start.slice(0, end).split("\n");
  const [, method, target] = /^([A-Z]+) (\S+) HTTP\/1\.[01]\r?$/.exec(first) ?? [];
  if (method === undefined || target === undefined) return 400;
  const fields = lines.map((line) => {
    const colon = line.indexOf(":");
    return { name: line.slice(0, colon).toLowerCase(), value: line.slice(colon + 1) };
  });
  const valuesOf = (wanted: string) =>
    fields.filter(({ name }) => name === wanted).map(({ value }) => value.trim());
  return {
    method,
    path: target.split("?", 1)[0]!,
    hosts: valuesOf("host"),
    accept: valuesOf("accept").join(),
  };
}
