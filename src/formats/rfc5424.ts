import process from "node:process";
import { gapFields, gapSentence } from "./gap_sentence.ts";
import { type RecordLayout, TIME } from "./record_layout.ts";
import { DEFAULT_TAG, priorityOf, syslogEscapes, type SyslogIdentity } from "./syslog.ts";

/** RFC 5612 reserves this number for those who have none of their own. */
const STRUCTURED_DATA_ID = "spillway@32473";

/**
 * RFC 5424, a message a line: sinks that frame messages leave out the newline.
 * MSGID is the stream, PROCID this program's own, so that a restart shows. A message
 * whose line goes on in the next one says `partial="true"`; gap markers carry their
 * numbers in the same element.
 */
export function rfc5424(identity: SyslogIdentity, host: string): RecordLayout {
  const hostField = headerField(host, 255);
  const header = (kind: "line" | "marker", label: string, time: string) =>
    `<${priorityOf(identity, kind, label)}>1 ${time} ${hostField} ${
      headerField(identity.tag ?? DEFAULT_TAG, 48)
    } ${process.pid} ${headerField(label, 32)}`;
  return {
    escapes: syslogEscapes(),
    record: (label, goesOn) => {
      const data = goesOn ? `[${STRUCTURED_DATA_ID} partial="true"]` : "-";
      return { before: `${header("line", label, TIME)} ${data} `, after: "\n" };
    },
    marker: (gap, label, time) => {
      const parameters = Object.entries(gapFields(gap))
        .map(([name, value]) => ` ${name}="${value}"`).join("");
      return `${header("marker", label, time)} [${STRUCTURED_DATA_ID}${parameters}] ${
        gapSentence(gap)
      }\n`;
    },
  };
}

/** Printable ASCII without spaces, of bounded length; `-` where there is nothing. */
function headerField(text: string, maxLength: number): string {
  return text.replaceAll(/[^!-~]/g, "").slice(0, maxLength) || "-";
}
