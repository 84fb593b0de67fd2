import { assert, assertEquals } from "@std/assert";
import { Rates } from "../../src/report/rates.ts";

Deno.test("before anything is known, nothing moves", () => {
  const rates = new Rates(0);
  assertEquals([rates.inBytesPerSecond, rates.outBytesPerSecond], [0, 0]);
});

Deno.test("a rate is known soon after the start", () => {
  const rates = new Rates(1000);
  rates.sample(1100, 50n, 10n);
  assertEquals([rates.inBytesPerSecond, rates.outBytesPerSecond], [500, 100]);
});

Deno.test("what has begun since a sample a moment ago has a rate already", () => {
  const rates = new Rates(0);
  rates.sample(60, 0n, 0n);
  rates.sample(70, 700n, 0n);
  assertEquals(rates.inBytesPerSecond, 10_000);
});

Deno.test("two samples of one moment are no rate", () => {
  const rates = new Rates(1000);
  rates.sample(1000, 50n, 10n);
  assertEquals([rates.inBytesPerSecond, rates.outBytesPerSecond], [0, 0]);
});

for (const intervalMs of [50, 100, 1000]) {
  Deno.test(`a steady stream, seen every ${intervalMs} ms, has its rate`, () => {
    const rates = new Rates(0);
    for (let ms = intervalMs; ms <= 20_000; ms += intervalMs) {
      rates.sample(ms, BigInt(3 * ms), BigInt(ms));
      assertEquals(rates.inBytesPerSecond, 3000);
      assertEquals(rates.outBytesPerSecond, 1000);
    }
  });
}

Deno.test("a second or two after a stop, the rate is 0", () => {
  const rates = new Rates(0);
  for (let ms = 100; ms <= 5000; ms += 100) rates.sample(ms, BigInt(ms), 0n);
  rates.sample(5500, 5000n, 0n);
  assert(rates.inBytesPerSecond < 600);
  rates.sample(6100, 5000n, 0n);
  assertEquals(rates.inBytesPerSecond, 0);
});

Deno.test("looking more often does not shorten what a rate is taken over", () => {
  const rates = new Rates(0);
  for (let ms = 1; ms <= 3000; ms++) rates.sample(ms, BigInt(ms < 2500 ? ms : 2500), 0n);
  assert(rates.inBytesPerSecond > 400 && rates.inBytesPerSecond < 600);
});
