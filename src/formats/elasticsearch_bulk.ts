import { gapFields, gapSentence } from "./gap_sentence.ts";
import { JSON_ESCAPES, members } from "./json_text.ts";
import { LINE, type RecordLayout, TIME } from "./record_layout.ts";

/** Both kinds of gap may come before one line. */
const MARKER = {
  overwritten: "gap",
  dropped: "gap",
  damaged: "gap",
  rejected: "rejected",
} as const;

/**
 * The body of Elasticsearch's and OpenSearch's `_bulk`: an action and a document
 * make one record. `create` with an `_id` that is the same whenever the same line
 * of the same run is sent makes a repeat change nothing. The documents are those of
 * ndjson, with `@timestamp` for `time`: a data stream takes none without it. `host`
 * is an object, as the Elastic Common Schema has it: the templates for logs that come
 * with Elasticsearch refuse documents where it is a text.
 *
 * @param host the machine's name; left out where it has none
 */
export function elasticsearchBulk(host: string): RecordLayout {
  const origin = host === "" ? {} : { host: { name: host } };
  const action = (label: string, run: string, id: string) =>
    `{"create":{"_id":"${label}-${run}-${id}"}}\n`;
  return {
    escapes: JSON_ESCAPES,
    record: (label, goesOn, run) => {
      const fields = members({ stream: label, ...origin });
      return {
        before: `${
          action(label, run, LINE)
        }{"@timestamp":"${TIME}",${fields},"message":"`,
        after: `"${goesOn ? ',"partial":true' : ""}}\n`,
      };
    },
    marker: (gap, label, time, run) =>
      `${action(label, run, `${MARKER[gap.reason]}-${gap.nextLine + 1}`)}${
        JSON.stringify({
          "@timestamp": time,
          stream: label,
          ...origin,
          message: gapSentence(gap),
          ...gapFields(gap),
        })
      }\n`,
  };
}
