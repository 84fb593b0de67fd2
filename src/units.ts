/** Sizes, durations and times as people and programs write and read them. */

import { UsageError } from "./errors.ts";

const KIB = 1024;
const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

const SIZE_UNITS: Record<string, number> = {
  ...{ "": 1, b: 1, k: KIB, m: MIB, g: GIB },
  ...{ kib: KIB, mib: MIB, gib: GIB, kb: 1e3, mb: 1e6, gb: 1e9 },
};

const DURATION_UNITS: Record<string, number> = { ms: 1, s: 1e3, m: 60e3, h: 3600e3 };

/** setTimeout and poll(2) count milliseconds in 31 bits. */
const MAX_DURATION_MS = 2 ** 31 - 1;

/**
 * Bytes of a size such as `64KiB`, `1.5m` or `4096`.
 *
 * @throws UsageError for anything that is not a whole number of bytes.
 */
export function parseSize(text: string): number {
  const match = /^(\d+)(?:\.(\d+))?\s*([a-z]*)$/.exec(text.toLowerCase());
  const [, whole, fraction = "", unit = ""] = match ?? [];
  if (whole === undefined || !Object.hasOwn(SIZE_UNITS, unit)) {
    throw new UsageError(
      `"${text}" is not a size; write a number of bytes or one with a unit, such as 64KiB, 16m or 1GB`,
    );
  }
  // 4.1 × 1e6 is 4,100,000 for people, and a little less for floating point.
  const bytes = Number(whole + fraction) * SIZE_UNITS[unit]! / 10 ** fraction.length;
  if (!Number.isInteger(bytes)) {
    throw new UsageError(`"${text}" is not a whole number of bytes`);
  }
  return bytes;
}

/**
 * Milliseconds of a duration such as `250ms`, `10s`, `1.5m` or `2h`.
 *
 * @throws UsageError when the unit is missing or unknown, or it is over 24 days.
 */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h)$/i.exec(text);
  if (!match) {
    throw new UsageError(
      `"${text}" is not a duration; write a number with its unit, such as 500ms, 10s, 5m or 1h`,
    );
  }
  const ms = Number(match[1]) * DURATION_UNITS[match[2]!.toLowerCase()]!;
  if (ms > MAX_DURATION_MS) {
    throw new UsageError(`"${text}" is too long; the longest duration is 24 days (576h)`);
  }
  return Math.round(ms);
}

/** A size with the largest binary unit that divides it: 65536 → `64KiB`. */
export function formatSize(bytes: number): string {
  for (const [name, unit] of [["GiB", GIB], ["MiB", MIB], ["KiB", KIB]] as const) {
    if (bytes >= unit && bytes % unit === 0) return `${bytes / unit}${name}`;
  }
  return `${bytes}`;
}

/** RFC 3339 in UTC with milliseconds. @param ms since 1970 */
export function formatTime(ms: number): string {
  return new Date(ms).toISOString();
}

/** The next size that is short to write: a few KiB, MiB or GiB more at most. */
export function roundUpSize(bytes: number): number {
  const unit = bytes < MIB ? KIB : bytes < GIB ? MIB : GIB / 16;
  return Math.ceil(bytes / unit) * unit;
}
