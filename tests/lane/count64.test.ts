import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Count64 } from "../../src/lane/count64.ts";

function stored(count: Count64): bigint {
  const view = new DataView(new ArrayBuffer(8));
  count.writeTo(view, 0);
  return view.getBigUint64(0, true);
}

function of(value: bigint): Count64 {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, value, true);
  const count = new Count64();
  count.readFrom(view, 0);
  return count;
}

/** Amounts near the borders of the halves, and any others. */
const amount = fc.oneof(
  fc.nat(),
  fc.maxSafeInteger().map((value) => Math.floor(Math.abs(value) / 2)),
  fc.constantFrom(0, 1, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 52),
);

Deno.test("adds up as 64-bit integers do", () => {
  fc.assert(fc.property(fc.array(amount, { maxLength: 50 }), (amounts) => {
    const count = new Count64();
    for (const amount of amounts) count.add(amount);
    const sum = amounts.reduce((sum, amount) => sum + BigInt(amount), 0n);
    assertEquals(stored(count), sum);
  }));
});

Deno.test("differences are exact up to 2^53, also between counts far beyond it", () => {
  const start = fc.bigInt(0n, 2n ** 63n);
  fc.assert(fc.property(start, amount, (start, amount) => {
    const [before, after] = [of(start), of(start)];
    after.add(amount);
    assertEquals(after.minus(before), amount);
    assertEquals(before.minus(after) + 0, -amount + 0);
  }));
});

Deno.test("is what was written, and a copy is a copy", () => {
  fc.assert(fc.property(fc.bigInt(0n, 2n ** 64n - 1n), (value) => {
    const original = of(value);
    const copy = new Count64();
    copy.copyFrom(original);
    assertEquals(stored(original), value);
    original.add(1);
    assertEquals(stored(copy), value);
  }));
});
