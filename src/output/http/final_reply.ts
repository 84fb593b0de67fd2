import { ARRIVED, type Verdict } from "../sink.ts";

/** A reply that is neither a redirect nor one that asks to come back later. */
export interface FinalReply {
  readonly status: number;
  readonly body: string;
  /** How many of them the request held. */
  readonly records: number;
  /** What a message says of the whole reply. */
  readonly answered: string;
  /** Makes text of the server's fit for a message. */
  words(text: string): string;
}

/**
 * Where a server says how many records it has refused, but not which: the number is
 * exact, and the bytes are those of as many of the records.
 */
export function refusedSome(
  { records }: FinalReply,
  refused: number,
  rejected: string,
): Verdict[] {
  return Array.from(
    { length: records },
    (_, index) => index < refused ? { rejected } : ARRIVED,
  );
}
