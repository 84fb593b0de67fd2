import { assert, assertEquals } from "@std/assert";
import { Backoff } from "../../src/output/backoff.ts";

Deno.test("a backoff is failing from its first failure until its reset", () => {
  const backoff = new Backoff();
  assert(!backoff.failing);
  backoff.failed(0);
  assert(backoff.failing);
  backoff.reset();
  assert(!backoff.failing);
  assertEquals(backoff.retryAtMs, -Infinity);
});

Deno.test("the next attempt is due after pauses that grow, up to a longest", () => {
  const backoff = new Backoff(100, 5000);
  const pauses = Array.from({ length: 1000 }, () => {
    backoff.failed(7000);
    return backoff.retryAtMs - 7000;
  });
  for (const [index, pause] of pauses.entries()) {
    const least = Math.min(5000, 100 * 2 ** index);
    assert(pause >= least && pause <= least * 1.25, `${index}: ${pause}`);
  }
  backoff.reset();
  backoff.failed(0);
  assert(backoff.retryAtMs <= 125, "it begins with the shortest again");
});

Deno.test("nobody comes back earlier than was asked for", () => {
  const backoff = new Backoff();
  backoff.failed(1000, 60_000);
  assertEquals(backoff.retryAtMs, 61_000);
});
