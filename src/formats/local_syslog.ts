import process from "node:process";
import { gapSentence } from "./gap_sentence.ts";
import { type RecordLayout, TIME } from "./record_layout.ts";
import { DEFAULT_TAG, priorityOf, syslogEscapes, type SyslogIdentity } from "./syslog.ts";
import { LocalTime } from "./timestamp.ts";

/** Labels that say nothing of the program whose stream it is. */
const STREAMS = ["stdout", "stderr"];

/**
 * What syslog(3) sends to /dev/log, and rsyslogd and systemd-journald understand there:
 * a priority, local time without a zone, `TAG[PID]:` and the text. Without a tag in the
 * destination's settings it is the input's label, if that says more than which stream
 * it is. There is no place to say that a line goes on in the next message.
 */
export function localSyslog(identity: SyslogIdentity): RecordLayout {
  const tagOf = (label: string) =>
    identity.tag ?? (STREAMS.includes(label) ? DEFAULT_TAG : label);
  const header = (kind: "line" | "marker", label: string, time: string) =>
    `<${priorityOf(identity, kind, label)}>${time} ${
      tagField(tagOf(label))
    }[${process.pid}]: `;
  return {
    // rsyslogd escapes tabs itself, and a journal need not.
    escapes: syslogEscapes("\t"),
    makeStamp: () => new LocalTime(),
    record: (label) => ({ before: header("line", label, TIME), after: "\n" }),
    marker: (gap, label, time) => `${header("marker", label, time)}${gapSentence(gap)}\n`,
  };
}

/** Nothing that would end the tag. */
function tagField(tag: string): string {
  return tag.replaceAll(/[^!-~]|[:[\]]/g, "").slice(0, 48) || DEFAULT_TAG;
}
