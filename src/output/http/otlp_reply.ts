import { TemporaryError } from "../../errors.ts";
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
  const { rejectedLogRecords = 0, errorMessage = "" } = partialSuccess(body) ??
    notOtlp(words(body));
  const refused = Math.min(records, Number(rejectedLogRecords));
  if (!(refused > 0)) return undefined;
  return refusedSome(
    reply,
    refused,
    `the server took ${records - refused} of ${records} records and refused ${refused}: ${
      words(`${errorMessage}`)
    }`,
  );
}

function notOtlp(body: string): never {
  throw new TemporaryError(
    `the reply is none of OTLP; is it the address of /v1/logs? It says: ${body}`,
  );
}

interface PartialSuccess {
  /** A 64-bit number, which the JSON of protobuf writes as a text. */
  readonly rejectedLogRecords?: unknown;
  readonly errorMessage?: unknown;
}

/** Undefined where the body is no JSON object. */
function partialSuccess(body: string): PartialSuccess | undefined {
  try {
    const reply = JSON.parse(body);
    if (typeof reply !== "object" || reply === null) return undefined;
    return reply.partialSuccess ?? {};
  } catch {
    return undefined;
  }
}
