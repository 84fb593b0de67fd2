import { TemporaryError } from "../../errors.ts";
import { jsonObject, objectIn, reasonIn } from "../server_json.ts";
import type { Verdict } from "../sink.ts";
import { type FinalReply, refusedSome } from "./final_reply.ts";

/**
 * OTLP/HTTP 1.x: a reply of success may say that some records were refused for good.
 * Undefined for those that speak of the whole request.
 *
 * @throws TemporaryError for a success that is none of OTLP: a proxy's, or a page to log in
 */
export function otlpVerdicts(reply: FinalReply): Verdict[] | undefined {
  const { status, body, records, words } = reply;
  if (status >= 400 || body.trim() === "") return undefined;
  const { partialSuccess } = jsonObject(body) ?? notOtlp(words(body));
  const { rejectedLogRecords, errorMessage } = objectIn(partialSuccess) ?? {};
  const refused = Math.min(records, countIn(rejectedLogRecords) ?? notOtlp(words(body)));
  if (refused === 0) return undefined;
  return refusedSome(
    reply,
    refused,
    `the server took ${records - refused} of ${records} records and refused ${refused}: ${
      words(reasonIn(errorMessage))
    }`,
  );
}

function notOtlp(body: string): never {
  throw new TemporaryError(
    `the reply is none of OTLP; is it the address of /v1/logs? It says: ${body}`,
  );
}

/** A 64-bit number, which the JSON of protobuf writes as a text; 0 may be left out. */
function countIn(value: unknown): number | undefined {
  if (value === undefined || value === null) return 0;
  const isCount = /^\d+$/.test(typeof value === "object" ? "" : String(value));
  return isCount ? Number(value) : undefined;
}
