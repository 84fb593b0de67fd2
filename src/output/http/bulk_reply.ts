/** The reply of Elasticsearch's and OpenSearch's `_bulk`: a verdict for each document. */

import { TemporaryError } from "../../errors.ts";
import { jsonObject, objectIn, reasonIn } from "../server_json.ts";
import { ARRIVED, type Verdict } from "../sink.ts";

const CONFLICT = 409;
const RETRIED = [408, 429];

/**
 * In the order of the documents; undefined for one that is to be sent again. Whatever
 * does not say what has become of each document is a failure: it may come from a proxy,
 * or from a page to log in.
 *
 * @param words makes text of the server's fit for a message
 * @throws TemporaryError when it is not the reply to so many documents.
 */
export function bulkVerdicts(
  body: string,
  documents: number,
  words: (text: string) => string,
): (Verdict | undefined)[] {
  const { errors, items } = jsonObject(body) ?? {};
  const each = Array.isArray(items) && items.length === documents ? items : undefined;
  // Some engines leave out the items when all is well.
  const empty = items === undefined || (Array.isArray(items) && items.length === 0);
  if (errors === false && (each !== undefined || empty)) {
    return Array(documents).fill(ARRIVED);
  }
  const outcomes = errors === true ? each?.map(outcomeOf) : undefined;
  if (outcomes === undefined || outcomes.includes(undefined)) {
    throw new TemporaryError(
      `the reply does not say what has become of ${documents} documents, as one to a bulk request does: ${
        words(body)
      }`,
    );
  }
  return outcomes.map((outcome) => verdictOf(outcome!, words));
}

interface Outcome {
  readonly status: number;
  readonly error: unknown;
}

/** `{"create":{"status":…}}`, whatever the action is called. */
function outcomeOf(item: unknown): Outcome | undefined {
  const { status, error } = objectIn(Object.values(objectIn(item) ?? {})[0]) ?? {};
  if (typeof status !== "number") return undefined;
  const isFinal = (status >= 200 && status < 300) || status >= 400;
  return isFinal ? { status, error } : undefined;
}

function verdictOf(
  { status, error }: Outcome,
  words: (text: string) => string,
): Verdict | undefined {
  // A document that is there already is one that was sent twice.
  if (status < 300 || status === CONFLICT) return ARRIVED;
  if (RETRIED.includes(status) || status >= 500) return undefined;
  const reason = reasonIn(objectIn(error)?.["reason"] ?? error);
  return {
    rejected: `a document was refused with status ${status}: ${words(reason)}`,
  };
}
