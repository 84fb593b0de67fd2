import { assertEquals } from "@std/assert";
import { gapSentence } from "../../src/formats/gap_sentence.ts";

const FROM = Date.UTC(2026, 10, 22, 10, 0, 0, 123) * 1000;
const TO = Date.UTC(2026, 10, 22, 10, 0, 1, 456) * 1000;

Deno.test("a gap is said with its numbers and its times", () => {
  assertEquals(
    gapSentence({
      reason: "overwritten",
      lines: 1234,
      bytes: 56_789,
      from: FROM,
      to: TO,
    }),
    "spillway: 1234 lines (56789 bytes) overwritten between 2026-11-22T10:00:00.123Z and 2026-11-22T10:00:01.456Z",
  );
});

Deno.test("a gap of one line is said in the singular", () => {
  assertEquals(
    gapSentence({ reason: "dropped", lines: 1, bytes: 10, from: FROM, to: TO }),
    "spillway: 1 line (10 bytes) dropped between 2026-11-22T10:00:00.123Z and 2026-11-22T10:00:01.456Z",
  );
});
