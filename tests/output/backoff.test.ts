import { assert, assertEquals } from "@std/assert";
import { Backoff } from "../../src/output/backoff.ts";

Deno.test("a backoff is failing from its first pause until its reset", () => {
  const backoff = new Backoff();
  assert(!backoff.failing);
  backoff.pause(() => true);
  assert(backoff.failing);
  backoff.reset();
  assert(!backoff.failing);
});

Deno.test("even the longest pause notices an interruption soon", () => {
  const backoff = new Backoff();
  for (let attempt = 0; attempt < 1000; attempt++) backoff.pause(() => true);
  let asked = 0;
  backoff.pause(() => ++asked === 2);
  // A pause that is not cut short asks ten times.
  assertEquals(asked, 2);
});

Deno.test("a pause that nobody interrupts lasts its time, and the next one longer", () => {
  const backoff = new Backoff();
  const lengths = [1, 2].map(() => {
    const start = performance.now();
    backoff.pause(() => false);
    return performance.now() - start;
  });
  // At least, less the jitter: how much longer they take is the machine's affair.
  assert(lengths[0]! >= 75);
  assert(lengths[1]! >= 150);
});
