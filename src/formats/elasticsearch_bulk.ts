import { gapFields, gapSentence } from "./gap_sentence.ts";
import { JSON_ESCAPES } from "./json_text.ts";
import { LINE, type RecordLayout, TIME } from "./record_layout.ts";

/**
 * The body of Elasticsearch's and OpenSearch's `_bulk`: an action and a document
 * make one record. `create` with an `_id` that is the same whenever the same line
 * of the same run is sent makes a repeat change nothing. The documents are those of
 * ndjson, with `@timestamp` for `time`: a data stream takes none without it.
 *
 * @param startTime of the program, in microseconds since 1970
 */
export function elasticsearchBulk(startTime: number): RecordLayout {
  const action = (label: string, id: string) =>
    `{"create":{"_id":"${label}-${startTime}-${id}"}}\n`;
  return {
    escapes: JSON_ESCAPES,
    record: (label, goesOn) => ({
      before: `${
        action(label, LINE)
      }{"@timestamp":"${TIME}","stream":"${label}","message":"`,
      after: `"${goesOn ? ',"partial":true' : ""}}\n`,
    }),
    marker: (gap, label, time) =>
      `${action(label, `gap-${gap.nextLine + 1}`)}${
        JSON.stringify({
          "@timestamp": time,
          stream: label,
          message: gapSentence(gap),
          ...gapFields(gap),
        })
      }\n`,
  };
}
