import { assert, assertEquals, assertThrows } from "@std/assert";
import { UNIT, WORDS_BYTES } from "../../src/lane/layout.ts";
import { MAX_CAPACITY, MIN_CAPACITY, preferredFrameBytes } from "../../src/lane/lane.ts";
import { laneOf } from "./small_lane.ts";
import { RingPair, textOf } from "./ring_pair.ts";

const KIB = 1024;
const MIB = 1024 ** 2;
const PAGE_BYTES = 64 * KIB;

Deno.test("the areas follow one another, aligned, and fit the memory", () => {
  for (
    const capacityBytes of [
      MIN_CAPACITY,
      MIN_CAPACITY + 1,
      100_003,
      16 * MIB,
      16 * MIB + 5,
    ]
  ) {
    for (const areaBytes of [1, 4096, 321 * KIB + 3]) {
      const ring = laneOf(capacityBytes, areaBytes, areaBytes);
      assert(ring.landingAt >= WORDS_BYTES);
      assert(ring.landingBytes >= areaBytes && ring.handBytes >= areaBytes);
      // At least one byte between them is the flusher's, for a prefix.
      assert(ring.handAt >= ring.landingAt + ring.landingBytes + 1);
      assert(ring.ringAt >= ring.handAt + ring.handBytes);
      assert(ring.memory.buffer.byteLength >= ring.ringAt + ring.ringBytes);
      for (const offset of [ring.landingAt, ring.handAt, ring.ringAt, ring.ringBytes]) {
        assertEquals(offset % UNIT, 0);
      }
    }
  }
});

Deno.test("the memory is the capacity and a bounded rest", () => {
  for (const capacityBytes of [MIN_CAPACITY, MIB, 16 * MIB, 256 * MIB]) {
    const areas = 320 * KIB;
    const { memory, ringBytes } = laneOf(capacityBytes, areas, areas);
    assert(ringBytes >= capacityBytes);
    assert(ringBytes <= capacityBytes * 1.024);
    const rest = memory.buffer.byteLength - ringBytes;
    assert(rest <= WORDS_BYTES + 2 * areas + 2 * PAGE_BYTES);
  }
});

Deno.test("a capacity holds so many bytes of frames of the preferred size", () => {
  for (const capacityBytes of [MIN_CAPACITY, 100_003, MIB, 16 * MIB]) {
    const pair = new RingPair({ capacityBytes, policy: "drop-newest" });
    const frame = new Uint8Array(preferredFrameBytes(capacityBytes));
    let stored = 0;
    while (pair.push(frame, 0).outcome === "stored") stored += frame.length;
    assert(stored > capacityBytes - frame.length);
  }
});

Deno.test("frames are small against the ring, but not without bound", () => {
  assertEquals(preferredFrameBytes(MIN_CAPACITY), 4 * KIB);
  assertEquals(preferredFrameBytes(MIB), 4 * KIB);
  assertEquals(preferredFrameBytes(2 * MIB + 1), 8 * KIB);
  assertEquals(preferredFrameBytes(16 * MIB), 64 * KIB);
  assertEquals(preferredFrameBytes(MAX_CAPACITY), 64 * KIB);
});

Deno.test("a capacity out of bounds is refused", () => {
  for (const capacityBytes of [0, MIN_CAPACITY - 1, MAX_CAPACITY + 1]) {
    assertThrows(
      () => laneOf(capacityBytes, 4096, 4096),
      RangeError,
      `${capacityBytes} bytes`,
    );
  }
});

Deno.test("areas that leave no room in 4 GiB are refused", () => {
  assertThrows(
    () => laneOf(MAX_CAPACITY, 1024 * MIB, 1024 * MIB),
    RangeError,
    "4 GiB",
  );
});

Deno.test("a ring of 2 GiB goes round at offsets beyond 2^31", () => {
  // The position of the last 8 KiB before the end: pages in between stay untouched.
  const { ringBytes } = laneOf(MAX_CAPACITY, 4096, 4096);
  const pair = new RingPair({
    capacityBytes: MAX_CAPACITY,
    position: (3 * ringBytes - 8 * KIB) / UNIT,
  });
  let text = "";
  for (let line = 0; line < 1000; line++) {
    const added = `${line} at the end of a large ring\n`;
    assertEquals(pair.pushText(added).overwrittenBytes, 0);
    text += added;
  }
  assertEquals(textOf(...pair.drainAll()), text);
  assert(!pair.producer.crowded);
});
