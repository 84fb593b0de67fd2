import { assert } from "@std/assert";
import { wallClockMicros } from "../../src/system/clock.ts";

Deno.test("the time of day is that of the runtime, in microseconds", () => {
  const before = Date.now();
  const micros = wallClockMicros();
  const after = Date.now();
  assert(Number.isInteger(micros));
  assert(micros >= before * 1000 && micros < (after + 1) * 1000);
});
