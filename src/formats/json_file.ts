import { gapFields, gapSentence } from "./gap_sentence.ts";
import { JSON_ESCAPES } from "./json_text.ts";
import { type RecordLayout, TIME } from "./record_layout.ts";

/**
 * Docker's json-file, byte for byte as moby's daemon/logger/jsonfilelog writes it.
 * `log` ends with a newline only where the line does. A gap marker carries its
 * numbers as `attrs`, whose values are strings there, and whose keys are sorted.
 */
export const JSON_FILE: RecordLayout = {
  escapes: JSON_ESCAPES,
  record: (label, goesOn) => ({
    before: '{"log":"',
    after: `${goesOn ? "" : "\\n"}","stream":"${label}","time":"${TIME}"}\n`,
  }),
  marker: (gap, label, time) =>
    `${
      JSON.stringify({
        log: `${gapSentence(gap)}\n`,
        stream: label,
        attrs: Object.fromEntries(
          Object.entries(gapFields(gap)).map(([name, value]) => [name, `${value}`]),
        ),
        time,
      })
    }\n`,
};
