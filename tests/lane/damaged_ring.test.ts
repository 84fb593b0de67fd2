/** Memory that neither side can have left so: an error, and no line that never was. */

import { assertEquals, assertThrows } from "@std/assert";
import {
  FRAME_BYTES,
  FRAME_FIRST_BYTE,
  FRAME_FIRST_LINE,
  TAIL,
} from "../../src/lane/layout.ts";
import { RingDamagedError } from "../../src/lane/ring_producer.ts";
import { RingPair } from "./ring_pair.ts";

/** Overwrites 32 bits of the first frame's header. */
function damage({ ring }: RingPair, field: number, value: number): void {
  const { memory, ringAt } = ring;
  new DataView(memory.buffer).setUint32(ringAt + field, value, true);
}

/** Pushes lines until the ring has overwritten something, or has noticed. */
function fill(pair: RingPair): void {
  while (pair.pushText(`${"x".repeat(4000)}\n`).overwrittenBytes === 0);
}

for (const bytes of [2 ** 32 - 1, 2 ** 20]) {
  Deno.test(`a frame that says it has ${bytes} bytes is not taken, nor passed over`, () => {
    const pair = new RingPair();
    pair.pushText("one\n");
    damage(pair, FRAME_BYTES, bytes);
    assertThrows(() => pair.drain(), RingDamagedError, "damaged at position 0");
    assertThrows(() => fill(pair), RingDamagedError, "damaged at position 0");
  });
}

for (const field of [FRAME_FIRST_LINE, FRAME_FIRST_BYTE]) {
  Deno.test(`numbers in a header that have become smaller are not believed: ${field}`, () => {
    const pair = new RingPair();
    pair.pushText("one\ntwo\n");
    assertEquals(pair.drain()!.lines, 2);
    const { atomics, ring } = pair;
    const tail = atomics.load(ring.at + TAIL);
    pair.pushText("three\n");
    damage(pair, 8 * tail + field, 0);
    assertThrows(() => pair.drain(), RingDamagedError, `damaged at position ${tail}`);
  });
}

for (const [why, move] of [["back", -1], ["past the head", 1000]] as const) {
  Deno.test(`a tail that has moved ${why} is not believed`, () => {
    const pair = new RingPair({ position: 100 });
    pair.pushText("one\n");
    pair.atomics.store(pair.ring.at + TAIL, 100 + move);
    assertThrows(() => fill(pair), RingDamagedError);
  });
}
