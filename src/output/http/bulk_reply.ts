/** The reply of Elasticsearch's and OpenSearch's `_bulk`: a verdict for each document. */

import { SinkFailure } from "../../errors.ts";
import { ARRIVED, type Verdict } from "../sink.ts";

const CONFLICT = 409;
const RETRIED = [408, 429];

/**
 * In the order of the documents; undefined for one that is to be sent again.
 *
 * @param words makes text of the server's fit for a message
 * @throws SinkFailure when it speaks of errors, but not of which documents.
 */
export function bulkVerdicts(
  body: string,
  documents: number,
  words: (text: string) => string,
): (Verdict | undefined)[] {
  const reply = parse(body);
  // Who says that all is well, or says nothing of documents, has taken them.
  if (reply?.["errors"] !== true) return Array(documents).fill(ARRIVED);
  const { items } = reply;
  if (!Array.isArray(items) || items.length !== documents) {
    throw new SinkFailure(
      `the reply to a bulk request speaks of errors, but not of ${documents} documents: ${
        words(body)
      }`,
    );
  }
  return items.map((item) => verdictOf(outcomeOf(item), words));
}

function parse(body: string): Record<string, unknown> | undefined {
  try {
    return record(JSON.parse(body));
  } catch {
    return undefined;
  }
}

function record(value: unknown): Record<string, unknown> | undefined {
  return typeof value === "object" && value !== null
    ? value as Record<string, unknown>
    : undefined;
}

/** `{"create":{"status":…}}`, whatever the action is called. */
function outcomeOf(item: unknown): Record<string, unknown> {
  return record(Object.values(record(item) ?? {})[0]) ?? {};
}

function verdictOf(
  { status, error }: Record<string, unknown>,
  words: (text: string) => string,
): Verdict | undefined {
  const code = Number(status);
  // A document that is there already is one that was sent twice.
  if (code < 300 || code === CONFLICT) return ARRIVED;
  if (RETRIED.includes(code) || code >= 500) return undefined;
  const reason = record(error)?.["reason"] ?? error;
  return {
    rejected: `a document was refused with status ${code}: ${
      words(typeof reason === "string" ? reason : JSON.stringify(reason) ?? "no reason")
    }`,
  };
}
