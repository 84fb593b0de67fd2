import { assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "../src/errors.ts";
import { formatSize, formatTime, parseDuration, parseSize } from "../src/units.ts";

const SIZES: readonly (readonly [string, number])[] = [
  ["0", 0],
  ["1", 1],
  ["4096", 4096],
  ["007", 7],
  ["1b", 1],
  ["64k", 65_536],
  ["64K", 65_536],
  ["64KiB", 65_536],
  ["64kib", 65_536],
  ["64KIB", 65_536],
  ["64 KiB", 65_536],
  ["64KB", 64_000],
  ["64kb", 64_000],
  ["16m", 16_777_216],
  ["16MiB", 16_777_216],
  ["16MB", 16_000_000],
  ["2g", 2_147_483_648],
  ["2GiB", 2_147_483_648],
  ["2GB", 2_000_000_000],
  ["1.5k", 1536],
  ["0.25MiB", 262_144],
  ["1.5KB", 1500],
  // As products of floating point they would not be whole.
  ["16.1KB", 16_100],
  ["4.1MB", 4_100_000],
  ["1.07GB", 1_070_000_000],
];

for (const [text, bytes] of SIZES) {
  Deno.test(`size ${text} is ${bytes} bytes`, () => assertEquals(parseSize(text), bytes));
}

const NOT_A_SIZE = "is not a size; write a number of bytes or one with a unit, such as";
const NOT_WHOLE = "is not a whole number of bytes";

const REFUSED_SIZES: readonly (readonly [string, string])[] = [
  ["", NOT_A_SIZE],
  ["k", NOT_A_SIZE],
  ["-1", NOT_A_SIZE],
  ["+1", NOT_A_SIZE],
  ["1e3", NOT_A_SIZE],
  ["0x10", NOT_A_SIZE],
  ["1_000", NOT_A_SIZE],
  ["1,5k", NOT_A_SIZE],
  [".5k", NOT_A_SIZE],
  ["1.k", NOT_A_SIZE],
  ["1t", NOT_A_SIZE],
  ["1ki", NOT_A_SIZE],
  ["1 k b", NOT_A_SIZE],
  ["1k 1k", NOT_A_SIZE],
  [" 1k", NOT_A_SIZE],
  ["1k\n", NOT_A_SIZE],
  ["١k", NOT_A_SIZE],
  ["NaN", NOT_A_SIZE],
  ["5constructor", NOT_A_SIZE],
  ["1.5", NOT_WHOLE],
  ["1.0001k", NOT_WHOLE],
  ["9".repeat(400), NOT_WHOLE],
];

for (const [text, message] of REFUSED_SIZES) {
  Deno.test(`size ${JSON.stringify(text).slice(0, 40)} is refused`, () => {
    assertThrows(() => parseSize(text), UsageError, `"${text}" ${message}`);
  });
}

const DURATIONS: readonly (readonly [string, number])[] = [
  ["0s", 0],
  ["1ms", 1],
  ["250ms", 250],
  ["10s", 10_000],
  ["10S", 10_000],
  ["10 s", 10_000],
  ["1.5m", 90_000],
  ["5M", 300_000],
  ["2h", 7_200_000],
  ["0.4ms", 0],
  ["0.5s", 500],
  ["576h", 2_073_600_000],
];

for (const [text, ms] of DURATIONS) {
  Deno.test(`duration ${text} is ${ms} milliseconds`, () => {
    assertEquals(parseDuration(text), ms);
  });
}

const NOT_A_DURATION = "is not a duration; write a number with its unit, such as";
const TOO_LONG = "is too long; the longest duration is 24 days";

const REFUSED_DURATIONS: readonly (readonly [string, string])[] = [
  ["", NOT_A_DURATION],
  ["10", NOT_A_DURATION],
  ["s", NOT_A_DURATION],
  ["-1s", NOT_A_DURATION],
  ["1d", NOT_A_DURATION],
  ["1us", NOT_A_DURATION],
  ["1m30s", NOT_A_DURATION],
  ["1e3s", NOT_A_DURATION],
  ["1s\n", NOT_A_DURATION],
  ["Infinity s", NOT_A_DURATION],
  ["600h", TOO_LONG],
  [`${"9".repeat(400)}s`, TOO_LONG],
];

for (const [text, message] of REFUSED_DURATIONS) {
  Deno.test(`duration ${JSON.stringify(text).slice(0, 40)} is refused`, () => {
    assertThrows(() => parseDuration(text), UsageError, `"${text}" ${message}`);
  });
}

const FORMATTED: readonly (readonly [number, string])[] = [
  [0, "0"],
  [64, "64"],
  [1023, "1023"],
  [1024, "1KiB"],
  [1025, "1025"],
  [65_536, "64KiB"],
  [1_048_576, "1MiB"],
  [1_049_600, "1025KiB"],
  [2_147_483_648, "2GiB"],
];

for (const [bytes, text] of FORMATTED) {
  Deno.test(`${bytes} bytes are written ${text}, which means the same`, () => {
    assertEquals(formatSize(bytes), text);
    assertEquals(parseSize(text), bytes);
  });
}

Deno.test("times are cut to milliseconds, not rounded", () => {
  const ms = Date.UTC(2026, 10, 22, 10, 0, 0, 123);
  assertEquals(formatTime(ms + 0.999), "2026-11-22T10:00:00.123Z");
  assertEquals(formatTime(0), "1970-01-01T00:00:00.000Z");
});
