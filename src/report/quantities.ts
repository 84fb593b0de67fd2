/** Sizes, rates and times as people read them. */

// @ts-types="./std_fmt_bytes.d.ts"
import { format as formatBytes } from "@std/fmt/bytes";
// @ts-types="./std_fmt_duration.d.ts"
import { format as formatDuration } from "@std/fmt/duration";
import { formatTime } from "../units.ts";

/** `5.26 MB` */
export function size(bytes: number | bigint): string {
  return formatBytes(Number(bytes));
}

/** `1 line (12 B)` */
export function amount(lines: bigint, bytes: bigint): string {
  return `${lines} ${lines === 1n ? "line" : "lines"} (${size(bytes)})`;
}

/** `5.26 MB/s` */
export function rate(bytesPerSecond: number): string {
  return `${formatBytes(Math.round(bytesPerSecond))}/s`;
}

/** `3.2 s`, and from a minute on `2m 5s`. */
export function span(ms: number): string {
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  return formatDuration(Math.round(ms / 1000) * 1000, { ignoreZero: true });
}

/** The time of day in UTC; the date is today's to whoever reads along. */
export function clock(ms: number): string {
  return `${formatTime(ms).slice(11, 23)}Z`;
}

/** `54%`; 100% is said only of what is full. */
export function percent(part: number, whole: number): string {
  return `${Math.min(100, Math.floor(100 * part / whole))}%`;
}
