/** What a stream answers to a message: the JSON of JetStream's PubAck. */

import { jsonObject, objectIn, reasonIn } from "../server_json.ts";
import { ARRIVED, type Verdict } from "../sink.ts";

/** A verdict, or why the message is to be sent again. */
export type PublishOutcome = Verdict | { readonly again: string };

/** There is no subscriber to the subject, neither a stream nor any other. */
const NO_RESPONDERS = 503;

const BAD_REQUEST = 400;
/** Asks for what only another message or another stream would be. */
const FINAL_STATUS = [BAD_REQUEST, 404, 413];

/**
 * @param status of a reply without a body; 0 where there is none
 * @param words makes text of the server's fit for a message
 */
export function publishOutcome(
  status: number,
  body: Uint8Array,
  words: (text: string) => string,
): PublishOutcome {
  if (status === NO_RESPONDERS) return { again: "no stream takes the subject now" };
  const text = new TextDecoder().decode(body);
  const { stream, seq, error } = jsonObject(text) ?? {};
  const { code, description } = objectIn(error) ?? {};
  if (typeof code === "number") {
    const why = `the stream answered ${code}: ${words(reasonIn(description))}`;
    return FINAL_STATUS.includes(code) ? { rejected: why } : { again: why };
  }
  if (!error && typeof stream === "string" && typeof seq === "number") return ARRIVED;
  // Whoever else listens to the subject may answer as well.
  return { again: `something that is no stream answered: ${words(text)}` };
}
