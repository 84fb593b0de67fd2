import process from "node:process";
import type { Escapes } from "../kernels/escape_table.ts";
import { gapFields, gapSentence } from "./gap_sentence.ts";
import { type RecordLayout, TIME } from "./record_layout.ts";

/** What the header of every message says of its sender. */
export interface SyslogIdentity {
  /** 0 to 23; see RFC 5424, table 1. */
  readonly facility: number;
  /** APP-NAME, which servers show as the tag. */
  readonly tag: string;
}

/** Docker's default facility is daemon, too. */
const DAEMON = 3;
export const DEFAULT_IDENTITY: SyslogIdentity = { facility: DAEMON, tag: "spillway" };

const ERROR = 3;
const WARNING = 4;
const INFORMATIONAL = 6;

/** RFC 5612 reserves this number for those who have none of their own. */
const STRUCTURED_DATA_ID = "spillway@32473";

const DELETE = 0x7f;
const CONTROL = [...Array(0x20).keys(), DELETE];

/** As rsyslog escapes what it receives, so that a message looks the same on either way. */
const ESCAPES: Escapes = {
  ascii: new Map(
    CONTROL.map((code) => [code, `#${code.toString(8).padStart(3, "0")}`]),
  ),
  invalid: "\ufffd",
};

/**
 * RFC 5424, a message a line: sinks that frame messages leave out the newline.
 * MSGID is the stream, PROCID this program's own, so that a restart shows. A message
 * whose line goes on in the next one says `partial="true"`; gap markers carry their
 * numbers in the same element.
 */
export function rfc5424({ facility, tag }: SyslogIdentity, host: string): RecordLayout {
  const hostField = headerField(host, 255);
  const header = (severity: number, label: string, time: string) =>
    `<${facility * 8 + severity}>1 ${time} ${hostField} ${
      headerField(tag, 48)
    } ${process.pid} ${headerField(label, 32)}`;
  return {
    escapes: ESCAPES,
    record: (label, goesOn) => {
      const severity = label === "stderr" ? ERROR : INFORMATIONAL;
      const data = goesOn ? `[${STRUCTURED_DATA_ID} partial="true"]` : "-";
      return { before: `${header(severity, label, TIME)} ${data} `, after: "\n" };
    },
    marker: (gap, label, time) => {
      const parameters = Object.entries(gapFields(gap))
        .map(([name, value]) => ` ${name}="${value}"`).join("");
      return `${header(WARNING, label, time)} [${STRUCTURED_DATA_ID}${parameters}] ${
        gapSentence(gap)
      }\n`;
    },
  };
}

/** Printable ASCII without spaces, of bounded length; `-` where there is nothing. */
function headerField(text: string, maxLength: number): string {
  return text.replaceAll(/[^!-~]/g, "").slice(0, maxLength) || "-";
}
