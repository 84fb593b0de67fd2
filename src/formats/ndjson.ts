import { gapFields, gapSentence } from "./gap_sentence.ts";
import { JSON_ESCAPES, members } from "./json_text.ts";
import { type RecordLayout, TIME } from "./record_layout.ts";

/**
 * One JSON object a line. `partial` is there, and true, where the line goes on in
 * the next object of its stream; the fields `gap_…` only in gap markers.
 *
 * @param host the machine's name; left out where it has none
 */
export function ndjson(host: string): RecordLayout {
  const origin = host === "" ? {} : { host };
  return {
    escapes: JSON_ESCAPES,
    record: (label, goesOn) => {
      const fields = members({ stream: label, ...origin });
      return {
        before: `{"time":"${TIME}",${fields},"message":"`,
        after: `"${goesOn ? ',"partial":true' : ""}}\n`,
      };
    },
    marker: (gap, label, time) =>
      `${
        JSON.stringify({
          time,
          stream: label,
          ...origin,
          message: gapSentence(gap),
          ...gapFields(gap),
        })
      }\n`,
  };
}
