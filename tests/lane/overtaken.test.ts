/**
 * One side comes by while the other is in the middle of something: each test lets
 * it do so at one access of the other's.
 */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { HEAD, TAIL } from "../../src/lane/layout.ts";
import type { RingAtomics } from "../../src/lane/ring_producer.ts";
import { RingPair, type Taken, textOf } from "./ring_pair.ts";

const HAND_BYTES = 256 * 1024;

type Moment = "before tail" | "before head" | "before claim" | "after claim";

/** A pair whose consumer is interrupted once at a moment, by `interrupt`. */
function interruptedPair(moment: Moment, interrupt: (pair: RingPair) => void): RingPair {
  let pending = true;
  const once = (now: Moment) => {
    if (!pending || now !== moment) return;
    pending = false;
    interrupt(pair);
  };
  const pair = new RingPair({
    handBytes: HAND_BYTES,
    landingBytes: HAND_BYTES,
    consumerAtomics: (real): RingAtomics => ({
      load: (at) => {
        once(at === TAIL ? "before tail" : at === HEAD ? "before head" : "after claim");
        return real.load(at);
      },
      store: real.store,
      compareExchange: (at, expected, value) => {
        once("before claim");
        const found = real.compareExchange(at, expected, value);
        once("after claim");
        return found;
      },
    }),
  });
  return pair;
}

const MOMENTS = ["before tail", "before head", "before claim", "after claim"] as const;

/** Lines that carry their number, as one frame. */
function pushNumbered(pair: RingPair, first: number, count: number): number {
  let text = "";
  for (let number = first; number < first + count; number++) text += `${number}\n`;
  return pair.pushText(text).overwrittenLines;
}

/** Checks that the numbers go up by one but for the gaps, which they equal. */
function checkNumbered(taken: readonly Taken[]): { lines: number; lost: number } {
  let [next, lost] = [0, 0];
  for (const batch of taken) {
    next += batch.gapLines;
    lost += batch.gapLines;
    const lines = textOf(batch).split("\n").slice(0, -1);
    assertEquals(lines, lines.map((_, index) => `${next + index}`));
    assertEquals(batch.lines, lines.length);
    next += lines.length;
  }
  return { lines: next - lost, lost };
}

for (const moment of MOMENTS) {
  Deno.test(`what the producer overwrites ${moment} is lost and not delivered`, () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 3000 }), {
      minLength: 1,
      maxLength: 40,
    });
    const frames = fc.integer({ min: 1, max: 20 });
    fc.assert(
      fc.property(sizes, sizes, frames, (before, during, maxFrames) => {
        let [pushed, overwritten] = [0, 0];
        const pushAll = (pair: RingPair, sizes: readonly number[]) => {
          for (const count of sizes) {
            overwritten += pushNumbered(pair, pushed, count);
            pushed += count;
          }
        };
        const pair = interruptedPair(moment, (pair) => pushAll(pair, during));
        pushAll(pair, before);
        const first = pair.drain(maxFrames);
        const { lines, lost } = checkNumbered([first!, ...pair.drainAll()]);
        assertEquals(lost, overwritten);
        assertEquals(lines + lost, pushed);
      }),
      { numRuns: 50 },
    );
  });
}

Deno.test("a producer that comes by at every copy makes the consumer try again", () => {
  let [pushed, overwritten, interruptions] = [0, 0, 0];
  const pair: RingPair = new RingPair({
    consumerAtomics: (real) => ({
      ...{ load: real.load, store: real.store },
      compareExchange: (at, expected, value) => {
        if (interruptions++ < 50) pushRound(pair);
        return real.compareExchange(at, expected, value);
      },
    }),
  });
  function pushRound(pair: RingPair): void {
    for (let frame = 0; frame < 4; frame++) {
      overwritten += pushNumbered(pair, pushed, 3000);
      pushed += 3000;
    }
  }
  pushRound(pair);
  pushRound(pair);
  const { lines, lost } = checkNumbered(pair.drainAll());
  assert(interruptions > 50);
  assertEquals(lost, overwritten);
  assertEquals(lines + lost, pushed);
});

Deno.test("a header that is overwritten by payload leads nowhere out of the ring", () => {
  // Read as a header, this payload says it is larger than the ring, and not
  // larger than the hand.
  const words = new Uint32Array(4000).fill(250 * 1024);
  const payload = new Uint8Array(words.buffer);
  let rounds = 0;
  const pair: RingPair = interruptedPair("before head", (pair) => {
    for (; rounds < 30; rounds++) pair.push(payload, 1);
  });
  pair.push(payload.subarray(0, 100), 1);
  const taken = [pair.drain()!, ...pair.drainAll()];
  assertEquals(taken[0]!.bytes.length % payload.length, 0);
  assertEquals(
    taken.reduce((lines, batch) => lines + batch.gapLines + batch.lines, 0),
    rounds + 1,
  );
});

Deno.test("what the consumer takes while it would be overwritten is not counted as lost", () => {
  for (const maxFrames of [1, 2, 3, 100]) {
    const taken: Taken[] = [];
    let [pushed, overwritten] = [0, 0];
    const pair: RingPair = new RingPair({
      producerAtomics: (real) => ({
        ...{ load: real.load, store: real.store },
        compareExchange: (at, expected, value) => {
          if (taken.length < 10) taken.push(...[pair.drain(maxFrames)].flatMap(some));
          return real.compareExchange(at, expected, value);
        },
      }),
    });
    for (; pushed < 300_000; pushed += 1500) {
      overwritten += pushNumbered(pair, pushed, 1500);
    }
    taken.push(...pair.drainAll());
    const { lines, lost } = checkNumbered(taken);
    assert(taken.length > 10 && overwritten > 0);
    assertEquals([lines + lost, lost], [pushed, overwritten]);
  }
});

function some(taken: Taken | undefined): Taken[] {
  return taken === undefined ? [] : [taken];
}
