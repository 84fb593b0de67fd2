import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { FrameSpace } from "../../src/lane/frame_space.ts";
import { HEADER_BYTES, UNIT } from "../../src/lane/layout.ts";
import { MIN_CAPACITY } from "../../src/lane/lane.ts";
import { laneOf } from "./small_lane.ts";

const PAYLOAD_BYTES = 4096;
const ring = laneOf(MIN_CAPACITY + 24, PAYLOAD_BYTES, PAYLOAD_BYTES);
const { landingAt, handAt, ringAt, ringBytes } = ring;
const space = new FrameSpace(ring);
const memory = new Uint8Array(ring.memory.buffer);

/** Frame offsets anywhere in the ring, more often close to its end. */
const frameOffset = fc.oneof(
  fc.nat(ringBytes / UNIT - 1),
  fc.integer({ min: 1, max: (PAYLOAD_BYTES + HEADER_BYTES) / UNIT })
    .map((back) => ringBytes / UNIT - back),
).map((unit) => ringAt + unit * UNIT);

Deno.test("positions go round and round the ring", () => {
  const round = ringBytes / UNIT;
  for (const position of [0, 1, round - 1]) {
    assertEquals(space.offsetOf(position), ringAt + position * UNIT);
    assertEquals(space.offsetOf(position + round), ringAt + position * UNIT);
    assertEquals(
      space.offsetOf(position + round * 2 ** 30),
      ringAt + position * UNIT,
    );
  }
});

Deno.test("the offset after the last byte of the ring is its first", () => {
  assertEquals(space.advance(ringAt + ringBytes - UNIT, UNIT), ringAt);
  assertEquals(space.advance(ringAt + ringBytes - UNIT, UNIT + 3), ringAt + 3);
  assertEquals(
    space.advance(ringAt + ringBytes - UNIT, UNIT - 1),
    ringAt + ringBytes - 1,
  );
  assertEquals(space.advance(ringAt, ringBytes), ringAt);
});

Deno.test("a payload comes out as it went in, wherever the ring ends, and stays inside", () => {
  const payload = fc.uint8Array({ maxLength: PAYLOAD_BYTES });
  fc.assert(fc.property(frameOffset, payload, (frame, payload) => {
    memory.fill(0xee);
    memory.set(payload, landingAt);
    space.copyIn(frame, landingAt, payload.length);
    space.copyOut(handAt, frame, payload.length);
    assertEquals(memory.slice(handAt, handAt + payload.length), payload);
    // Nothing but the payload was written.
    memory.fill(0xee, landingAt, landingAt + payload.length);
    memory.fill(0xee, handAt, handAt + payload.length);
    for (let index = 0; index < payload.length; index++) {
      memory[ringAt + (frame - ringAt + HEADER_BYTES + index) % ringBytes] = 0xee;
    }
    assertEquals(memory.findIndex((byte) => byte !== 0xee), -1);
  }));
});
