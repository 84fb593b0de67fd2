import { TemporaryError } from "../../errors.ts";
import type { Verdict } from "../sink.ts";
import { type FinalReply, refusedSome } from "./final_reply.ts";

const BAD_REQUEST = 400;

/** What an ingester says of a stream: pkg/ingester/stream.go. */
const IGNORED = /total ignored: (\d+) out of (\d+)/;
/**
 * What a distributor says of entries, once for each kind of error: pkg/util/errors.go. A
 * number is looked at from its beginning only, or millions of digits would take hours.
 */
const ERRORS = /(?<!\d)(\d+) errors like: /g;

/**
 * Grafana Loki answers 400 also where it has taken most of a request and refused some
 * entries that were too old, too long or out of order; its words say how many. Undefined
 * for replies that speak of the whole request.
 *
 * @throws TemporaryError for a success with words, which is none of Loki: it may come from
 * a proxy, or from a page to log in.
 */
export function lokiVerdicts(reply: FinalReply): Verdict[] | undefined {
  if (reply.status < BAD_REQUEST && reply.body.trim() !== "") {
    throw new TemporaryError(
      `the reply is none of Loki; is it the address of /loki/api/v1/push? It says: ${
        reply.words(reply.body)
      }`,
    );
  }
  if (reply.status !== BAD_REQUEST) return undefined;
  const refused = refusedIn(reply.body);
  if (refused === 0 || refused > reply.records) return undefined;
  return refusedSome(reply, refused, reply.answered);
}

function refusedIn(body: string): number {
  const ignored = IGNORED.exec(body);
  if (ignored !== null) return Number(ignored[1]);
  return [...body.matchAll(ERRORS)].reduce((sum, [, count]) => sum + Number(count), 0);
}
