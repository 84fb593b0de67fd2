/** What servers say has become of the records of a request, by the format of these. */

import type { FormatName } from "../../formats/formats.ts";
import { ARRIVED, type Verdict } from "../sink.ts";
import { bulkVerdicts } from "./bulk_reply.ts";
import type { FinalReply } from "./final_reply.ts";
import { lokiVerdicts } from "./loki_reply.ts";
import { otlpVerdicts } from "./otlp_reply.ts";

export interface ReplyKind {
  /** True where the server speaks of single records, and not of requests only. */
  readonly ofRecords: boolean;
  /** And says which of them it speaks of. */
  readonly saysWhich: boolean;
  /** The same request may be taken later. */
  isTemporary(status: number): boolean;
  /**
   * In the order of the records; undefined for one that is to be sent again.
   *
   * @throws TemporaryError when it is no reply to such a request.
   */
  verdicts(reply: FinalReply): (Verdict | undefined)[];
}

const REQUEST_TIMEOUT = 408;
const TOO_MANY_REQUESTS = 429;
const INTERNAL_SERVER_ERROR = 500;

const PLAIN: ReplyKind = {
  ofRecords: false,
  saysWhich: true,
  isTemporary: (status) =>
    status === REQUEST_TIMEOUT || status === TOO_MANY_REQUESTS ||
    status >= INTERNAL_SERVER_ERROR,
  verdicts: ({ status, records, answered }) =>
    sameForAll(records, status < 400 ? ARRIVED : { rejected: answered }),
};

const KINDS: Partial<Record<FormatName, ReplyKind>> = {
  "elasticsearch-bulk": ofRecords(({ status, body, records, words }) =>
    status < 400 ? bulkVerdicts(body, records, words) : undefined
  ),
  loki: { ...ofRecords(lokiVerdicts), saysWhich: false },
  // The specification names those that are to be tried again, and says: no others.
  otlp: {
    ...ofRecords(otlpVerdicts),
    saysWhich: false,
    isTemporary: (status) => [TOO_MANY_REQUESTS, 502, 503, 504].includes(status),
  },
};

export function replyKind(format: FormatName): ReplyKind {
  return KINDS[format] ?? PLAIN;
}

/** Where more is to be read than the status: @param read what it says in its own way */
function ofRecords(
  read: (reply: FinalReply) => (Verdict | undefined)[] | undefined,
): ReplyKind {
  return {
    ...PLAIN,
    ofRecords: true,
    verdicts: (reply) => read(reply) ?? PLAIN.verdicts(reply),
  };
}

function sameForAll(records: number, verdict: Verdict): Verdict[] {
  return Array(records).fill(verdict);
}
