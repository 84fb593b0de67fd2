import type { DocumentShape } from "./document.ts";
import { gapSentence } from "./gap_sentence.ts";
import { JSON_ESCAPES } from "./json_text.ts";
import { type RecordLayout, TIME } from "./record_layout.ts";
import { UnixNanos } from "./timestamp.ts";

/**
 * Grafana Loki's push API, as JSON: an entry is a time in nanoseconds and a line. A
 * gap marker is an entry like others. Loki has no place for what else there is to say
 * that every version of it takes.
 */
export const LOKI: RecordLayout = {
  escapes: JSON_ESCAPES,
  makeStamp: () => new UnixNanos(),
  record: () => ({ before: `["${TIME}","`, after: '"]\n' }),
  marker: (gap, _label, time) => `${JSON.stringify([time, gapSentence(gap)])}\n`,
};

/** Entries are kept by the labels of their stream: few, so that streams stay few. */
export function lokiPush(host: string): DocumentShape {
  const origin = host === "" ? {} : { host };
  return {
    before: '{"streams":[',
    after: "]}",
    group: (label) => {
      const stream = JSON.stringify({ job: "spillway", input: label, ...origin });
      return { before: `{"stream":${stream},"values":[`, after: "]}" };
    },
  };
}
