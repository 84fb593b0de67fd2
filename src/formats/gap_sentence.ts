import { formatTime } from "../units.ts";
import type { Gap } from "./format.ts";

/** What every format's gap marker says; raw output has it as a line of its own. */
export function gapSentence(gap: Omit<Gap, "nextLine" | "nextByte">): string {
  const lines = gap.lines === 1 ? "1 line" : `${gap.lines} lines`;
  return `spillway: ${lines} (${gap.bytes} bytes) ${gap.reason} between ${
    formatTime(gap.from / 1000)
  } and ${formatTime(gap.to / 1000)}`;
}

/** The same as fields, sorted by name, for the formats that have fields. */
export function gapFields({ bytes, from, lines, reason, to }: Gap) {
  return {
    gap_bytes: bytes,
    gap_from: formatTime(from / 1000),
    gap_lines: lines,
    gap_reason: reason,
    gap_to: formatTime(to / 1000),
  };
}
