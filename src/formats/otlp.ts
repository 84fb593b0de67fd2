import type { DocumentShape } from "./document.ts";
import { gapFields, gapSentence } from "./gap_sentence.ts";
import { JSON_ESCAPES, members } from "./json_text.ts";
import { type RecordLayout, TIME } from "./record_layout.ts";
import { UnixNanos } from "./timestamp.ts";

const INFO = { severityNumber: 9, severityText: "INFO" };
const WARN = { severityNumber: 13, severityText: "WARN" };
const ERROR = { severityNumber: 17, severityText: "ERROR" };

/**
 * OpenTelemetry's log records in the JSON of OTLP 1.x, whose 64-bit numbers are texts.
 * When a line arrived is both its time and the time at which it was observed: nothing
 * else is known. `spillway.partial` says that the line goes on in the next record.
 */
export const OTLP: RecordLayout = {
  escapes: JSON_ESCAPES,
  makeStamp: () => new UnixNanos(),
  record: (label, goesOn) => {
    const severity = members(label === "stderr" ? ERROR : INFO);
    const attributes = [
      ...(isStandardStream(label) ? [text("log.iostream", label)] : []),
      ...(goesOn ? [{ key: "spillway.partial", value: { boolValue: true } }] : []),
    ];
    const rest = members({ attributes });
    return {
      before: `{"timeUnixNano":"${TIME}",${severity},"body":{"stringValue":"`,
      after: `"},"observedTimeUnixNano":"${TIME}",${rest}}\n`,
    };
  },
  marker: (gap, _label, time) =>
    `${
      JSON.stringify({
        timeUnixNano: time,
        ...WARN,
        body: { stringValue: gapSentence(gap) },
        observedTimeUnixNano: time,
        attributes: Object.entries(gapFields(gap)).map(([name, value]) =>
          typeof value === "number"
            ? { key: `spillway.${name}`, value: { intValue: `${value}` } }
            : text(`spillway.${name}`, value)
        ),
      })
    }\n`,
};

/** A request to `/v1/logs`: the service is the input, the host is this one. */
export function otlpRequest(host: string): DocumentShape {
  return {
    before: '{"resourceLogs":[',
    after: "]}",
    group: (label) => {
      const attributes = [
        text("service.name", label),
        ...(host === "" ? [] : [text("host.name", host)]),
      ];
      const resource = members({ resource: { attributes } });
      const scope = members({ scope: { name: "spillway" } });
      return {
        before: `{${resource},"scopeLogs":[{${scope},"logRecords":[`,
        after: "]}]}",
      };
    },
  };
}

function text(key: string, value: string) {
  return { key, value: { stringValue: value } };
}

function isStandardStream(label: string): boolean {
  return label === "stdout" || label === "stderr";
}
