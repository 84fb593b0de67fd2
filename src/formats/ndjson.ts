import { gapFields, gapSentence } from "./gap_sentence.ts";
import { JSON_ESCAPES } from "./json_text.ts";
import { type RecordLayout, TIME } from "./record_layout.ts";

/**
 * One JSON object a line. `partial` is there, and true, where the line goes on in
 * the next object of its stream; the fields `gap_…` only in gap markers.
 */
export const NDJSON: RecordLayout = {
  escapes: JSON_ESCAPES,
  record: (label, goesOn) => ({
    before: `{"time":"${TIME}","stream":"${label}","message":"`,
    after: `"${goesOn ? ',"partial":true' : ""}}\n`,
  }),
  marker: (gap, label, time) =>
    `${
      JSON.stringify({
        time,
        stream: label,
        message: gapSentence(gap),
        ...gapFields(gap),
      })
    }\n`,
};
