import type { Gap } from "./format.ts";

/** RFC 3339 in UTC with milliseconds. */
export function formatTime(micros: number): string {
  return new Date(micros / 1000).toISOString();
}

/** What every format's gap marker says; raw output has it as a line of its own. */
export function gapSentence(gap: Omit<Gap, "nextLine">): string {
  const lines = gap.lines === 1 ? "1 line" : `${gap.lines} lines`;
  return `spillway: ${lines} (${gap.bytes} bytes) ${gap.reason} between ${
    formatTime(gap.from)
  } and ${formatTime(gap.to)}`;
}

/** The same as fields, sorted by name, for the formats that have fields. */
export function gapFields({ bytes, from, lines, reason, to }: Gap) {
  return {
    gap_bytes: bytes,
    gap_from: formatTime(from),
    gap_lines: lines,
    gap_reason: reason,
    gap_to: formatTime(to),
  };
}
