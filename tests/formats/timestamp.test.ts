import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Timestamp, timestampText } from "../../src/formats/timestamp.ts";

Deno.test("a time has as many digits as it has microseconds to show", () => {
  const second = Date.UTC(2026, 10, 22, 10, 0, 0) * 1000;
  for (
    const [micros, fraction] of [[0, ""], [1, ".000001"], [100_000, ".1"], [
      120,
      ".00012",
    ], [
      999_999,
      ".999999",
    ]] as const
  ) {
    assertEquals(timestampText(second + micros), `2026-11-22T10:00:00${fraction}Z`);
  }
});

Deno.test("times come out right in any order", () => {
  const timestamp = new Timestamp();
  // Up to the year 2255 numbers hold every microsecond.
  const ms = fc.integer({ min: 0, max: Math.floor(Number.MAX_SAFE_INTEGER / 1000) - 1 });
  fc.assert(fc.property(ms, fc.nat({ max: 999 }), (ms, micros) => {
    timestamp.set(ms * 1000 + micros);
    const digits = `${new Date(ms).toISOString().slice(0, -1)}${
      `${micros}`.padStart(3, "0")
    }`;
    const trimmed = digits.replace(
      /\.?0+$/,
      (zeros) => digits.includes(".") ? "" : zeros,
    );
    const bytes = timestamp.bytes.subarray(0, timestamp.length);
    assertEquals(new TextDecoder().decode(bytes), `${trimmed}Z`);
  }));
});
