/** What the two formats for syslog have in common. */

import type { Escapes } from "../kernels/escape_table.ts";

/** What the header of every message says of its sender. */
export interface SyslogIdentity {
  /** 0 to 23; see RFC 5424, table 1. */
  readonly facility: number;
  /** Which program it is, as servers show it; undefined: a format has a name for it. */
  readonly tag: string | undefined;
}

/** Docker's default facility is daemon, too. */
const DAEMON = 3;
export const DEFAULT_IDENTITY: SyslogIdentity = { facility: DAEMON, tag: undefined };
/** What messages are tagged with for want of another name. */
export const DEFAULT_TAG = "spillway";

const ERROR = 3;
const WARNING = 4;
const INFORMATIONAL = 6;

/** The number at the start of a message; see RFC 5424, section 6.2.1. */
export function priorityOf(
  { facility }: SyslogIdentity,
  kind: "line" | "marker",
  label: string,
): number {
  if (kind === "marker") return facility * 8 + WARNING;
  return facility * 8 + (label === "stderr" ? ERROR : INFORMATIONAL);
}

const DELETE = 0x7f;
const CONTROL = [...Array(0x20).keys(), DELETE];

/**
 * As rsyslog escapes what it receives, so that a message looks the same on either way.
 *
 * @param kept control characters that may appear in a message as they are
 */
export function syslogEscapes(...kept: readonly string[]): Escapes {
  const codes = CONTROL.filter((code) => !kept.includes(String.fromCharCode(code)));
  return {
    ascii: new Map(
      codes.map((code) => [code, `#${code.toString(8).padStart(3, "0")}`]),
    ),
    invalid: "\ufffd",
  };
}
