import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { FullPolicy } from "../../src/lane/ring_producer.ts";
import { FramedInput } from "./framed_input.ts";

const CAPACITY_BYTES = 64 * 1024;
/** What lands at once, in lines of 32 bytes. */
const CHUNK_BYTES = 4096;
const CHUNK = `${"x".repeat(31)}\n`.repeat(CHUNK_BYTES / 32);

/** A burst: so many chunks land, and after each the output takes so many frames. */
interface Burst {
  readonly chunks: number;
  readonly takes: number;
}

/** Runs bursts, each into an empty ring; what the ring lacked for each. */
function run(
  capacityBytes: number,
  policy: FullPolicy,
  bursts: readonly Burst[],
): { lost: bigint; shortfalls: number[] } {
  const input = new FramedInput({ capacityBytes, policy });
  const shortfalls = bursts.map(({ chunks, takes }) => {
    for (let chunk = 0; chunk < chunks; chunk++) {
      input.land(CHUNK);
      for (let take = 0; take < takes; take++) input.consumer.drain(1);
    }
    input.framer.pushUnfinished();
    while (input.consumer.drain(1) !== undefined);
    const before = input.counters.shortfall;
    // The next byte finds the ring empty: a new burst.
    input.land("\n");
    while (input.consumer.drain(1) !== undefined);
    const after = input.counters.shortfall;
    assertEquals(after.totalBytes, before.totalBytes);
    assertEquals(after.beforeBurstBytes, after.totalBytes);
    return before.totalBytes - before.beforeBurstBytes;
  });
  const { bytesOverwritten, bytesDropped } = input.counts;
  return { lost: bytesOverwritten + bytesDropped, shortfalls };
}

const bursts = fc.array(fc.record({ chunks: fc.nat(60), takes: fc.nat(1) }), {
  minLength: 1,
  maxLength: 5,
});

for (const policy of ["overwrite", "drop-newest"] as const) {
  Deno.test(`${policy}: a ring larger by the worst shortfall loses nothing`, () => {
    fc.assert(
      fc.property(bursts, (bursts) => {
        const { lost, shortfalls } = run(CAPACITY_BYTES, policy, bursts);
        const worst = Math.max(...shortfalls);
        assertEquals(worst > 0, lost > 0n);
        assertEquals(run(CAPACITY_BYTES + worst, policy, bursts).lost, 0n);
      }),
      { numRuns: 50 },
    );
  });

  Deno.test(`${policy}: a ring larger by much less than the shortfall loses some`, () => {
    const bursts = [{ chunks: 40, takes: 0 }];
    const { shortfalls: [shortfall] } = run(CAPACITY_BYTES, policy, bursts);
    assert(shortfall! > 80_000);
    const smaller = CAPACITY_BYTES + shortfall! - 3 * CHUNK_BYTES;
    assert(run(smaller, policy, bursts).lost > 0n);
  });
}

Deno.test("lines that come one by one need room for their headers, too", () => {
  const lose = (capacityBytes: number): FramedInput => {
    const input = new FramedInput({ capacityBytes });
    for (let line = 0; line < 2000; line++) {
      input.land("a short line\n");
      input.passMs(20);
    }
    return input;
  };
  const { counts, counters } = lose(CAPACITY_BYTES);
  const { totalBytes } = counters.shortfall;
  assert(totalBytes > 2 * Number(counts.bytesOverwritten));
  assertEquals(lose(CAPACITY_BYTES + totalBytes).counts.bytesOverwritten, 0n);
});
