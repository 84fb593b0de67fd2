import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { stampText, Timestamp, UnixNanos } from "../../src/formats/timestamp.ts";

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
    const timestamp = new Timestamp();
    timestamp.set(second + micros);
    assertEquals(stampText(timestamp), `2026-11-22T10:00:00${fraction}Z`);
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

Deno.test("nanoseconds only grow, one by one where many come together", () => {
  const nanos = new UnixNanos();
  const texts: string[] = [];
  const take = (micros: number, times: number) => {
    nanos.set(micros);
    for (let time = 0; time < times; time++) {
      nanos.next();
      texts.push(stampText(nanos));
    }
  };
  take(1_732_510_000_123_456, 2);
  take(1_732_510_000_123_456, 1);
  take(1_732_510_000_123_455, 1);
  take(1_732_510_000_123_457, 1002);
  take(1_732_510_000_999_999, 1001);
  take(1_732_510_001_000_000, 2);
  assertEquals(texts.slice(0, 5), [
    "1732510000123456000",
    "1732510000123456001",
    "1732510000123456002",
    "1732510000123456003",
    "1732510000123457000",
  ]);
  assertEquals(texts.slice(1002, 1007), [
    "1732510000123457998",
    "1732510000123457999",
    "1732510000123458000",
    "1732510000123458001",
    "1732510000999999000",
  ]);
  assertEquals(texts.at(-1), "1732510001000000002");
  assertEquals(texts, texts.toSorted());
  assertEquals(new Set(texts).size, texts.length);
});

Deno.test("nanoseconds follow a clock that was wrong, and not one that is corrected", () => {
  const nanos = new UnixNanos();
  const right = 1_732_510_000_000_000;
  const stampAt = (micros: number) => {
    nanos.set(micros);
    nanos.next();
    return stampText(nanos);
  };
  const twoHoursMicros = 7200e6;
  assertEquals(stampAt(right + twoHoursMicros), `${right + twoHoursMicros}000`);
  assertEquals(stampAt(right), `${right}000`);
  assertEquals(stampAt(right - 60e6), `${right}001`);
  assertEquals(stampAt(right - 60e6 - 1), `${right - 60e6 - 1}000`);
});
