import process from "node:process";
import { gapFields, gapSentence } from "./gap_sentence.ts";
import { type RecordLayout, TIME } from "./record_layout.ts";
import { DEFAULT_TAG, priorityOf, syslogEscapes, type SyslogIdentity } from "./syslog.ts";

/** RFC 5612 reserves this number for those who have none of their own. */
const STRUCTURED_DATA_ID = "spillway@32473";

/** RFC 5424, section 6: how long fields of the header may be. */
const MAX_HOST = 255;
const MAX_TAG = 48;
const MAX_MESSAGE_ID = 32;

/**
 * RFC 5424, a message a line: sinks that frame messages leave out the newline.
 * MSGID is the stream, PROCID this program's own, so that a restart shows. A message
 * whose line goes on in the next one says `partial="true"`; gap markers carry their
 * numbers in the same element. Where MSGID has no room for all of an input's label,
 * `input` has it there.
 */
export function rfc5424(identity: SyslogIdentity, host: string): RecordLayout {
  const hostField = headerField(host, MAX_HOST);
  const header = (kind: "line" | "marker", label: string, time: string) =>
    `<${priorityOf(identity, kind, label)}>1 ${time} ${hostField} ${
      headerField(identity.tag ?? DEFAULT_TAG, MAX_TAG)
    } ${process.pid} ${headerField(label, MAX_MESSAGE_ID)}`;
  return {
    escapes: syslogEscapes(),
    record: (label, goesOn) => {
      const data = element({ ...longLabel(label), ...(goesOn && { partial: "true" }) });
      return { before: `${header("line", label, TIME)} ${data} `, after: "\n" };
    },
    marker: (gap, label, time) => {
      const data = element({ ...longLabel(label), ...gapFields(gap) });
      return `${header("marker", label, time)} ${data} ${gapSentence(gap)}\n`;
    },
  };
}

/** Two of them would look the same in MSGID. */
function longLabel(label: string): { input?: string } {
  return label.length <= MAX_MESSAGE_ID ? {} : { input: label };
}

/** `-` where there are no parameters. */
function element(parameters: Readonly<Record<string, string | number>>): string {
  const written = Object.entries(parameters)
    .map(([name, value]) => ` ${name}="${`${value}`.replaceAll(/["\\\]]/g, "\\$&")}"`);
  return written.length === 0 ? "-" : `[${STRUCTURED_DATA_ID}${written.join("")}]`;
}

/** Printable ASCII without spaces, of bounded length; `-` where there is nothing. */
function headerField(text: string, maxLength: number): string {
  return text.replaceAll(/[^!-~]/g, "").slice(0, maxLength) || "-";
}
