import { assert, assertEquals, assertThrows } from "@std/assert";
import { ENDS_INSIDE, HEADER_BYTES, ROOM, STARTS_INSIDE } from "../../src/lane/layout.ts";
import { MAX_BATCH_FRAMES } from "../../src/lane/layout.ts";
import { RingClosedError } from "../../src/lane/ring_producer.ts";
import { encode, RingPair, textOf } from "./ring_pair.ts";

const STORED = { outcome: "stored", overwrittenLines: 0, overwrittenBytes: 0 };

/** A payload of one line. */
function lineOf(bytes: number): Uint8Array {
  const line = new Uint8Array(bytes).fill(65);
  line[bytes - 1] = 10;
  return line;
}

Deno.test("an empty ring has nothing to give", () => {
  const pair = new RingPair();
  assertEquals(pair.pop(), undefined);
  assertEquals(pair.drain(), undefined);
  assertEquals(pair.consumer.peekTime(), undefined);
  assert(!pair.producer.backlogged);
});

Deno.test("lines come out as they went in, with their arrival", () => {
  const pair = new RingPair({ startTime: 5 });
  assertEquals(pair.pushText("one\ntwo\n", 10), STORED);
  assertEquals(pair.pushText("three\n", 20), STORED);
  assertEquals(pair.consumer.peekTime(), 10);
  assertEquals(pair.drain(), {
    bytes: encode("one\ntwo\nthree\n"),
    lines: 3,
    frameEnds: [8, 14],
    frameTimes: [10, 20],
    startsInside: false,
    end: false,
    gapLines: 0,
    gapBytes: 0,
    gapFrom: 5,
    gapTo: 10,
  });
});

Deno.test("pop takes one frame, drain no more than it was asked for", () => {
  const pair = new RingPair();
  for (let line = 0; line < 10; line++) pair.pushText(`${line}\n`);
  assertEquals(textOf(pair.pop()), "0\n");
  assertEquals(textOf(pair.drain(3)), "1\n2\n3\n");
  assertEquals(textOf(pair.drain()), "4\n5\n6\n7\n8\n9\n");
});

Deno.test("a batch has at most its number of frames", () => {
  const pair = new RingPair();
  for (let line = 0; line < MAX_BATCH_FRAMES + 1; line++) pair.pushText("\n");
  assertEquals(pair.drain()!.lines, MAX_BATCH_FRAMES);
  assertEquals(pair.drain()!.lines, 1);
});

Deno.test("a batch ends at a time, but has one frame in any case", () => {
  const pair = new RingPair();
  for (let time = 10; time < 15; time++) pair.pushText(`${time}\n`, time);
  assertEquals(textOf(pair.drain(MAX_BATCH_FRAMES, 12)), "10\n11\n12\n");
  assertEquals(textOf(pair.drain(MAX_BATCH_FRAMES, 12)), "13\n");
});

Deno.test("a ring that is exactly full has lost nothing; one byte over overwrites", () => {
  for (const over of [0, 1]) {
    const pair = new RingPair();
    const oldest = 1000;
    pair.push(lineOf(oldest), 1);
    // What the frame above takes, and one header's room that stays free.
    const rest = pair.ring.ringBytes - (HEADER_BYTES + oldest) - 2 * HEADER_BYTES;
    const pushed = pair.push(lineOf(rest + over), 1);
    assertEquals(pushed.outcome, "stored");
    assertEquals(pushed.overwrittenLines, over);
    assertEquals(pushed.overwrittenBytes, over * oldest);
    const { lines, gapLines, gapBytes } = pair.drain()!;
    assertEquals([lines, gapLines, gapBytes], [2 - over, over, over * oldest]);
  }
});

Deno.test("overwrites the oldest frames, as many as are needed and no more", () => {
  const pair = new RingPair();
  for (let index = 0; index < 60; index++) pair.push(lineOf(1000), 1, 0, index);
  const pushed = pair.push(lineOf(5000), 1, 0, 60);
  const { overwrittenLines, overwrittenBytes } = pushed;
  assert(overwrittenLines >= 1 && overwrittenLines <= 6);
  assertEquals(overwrittenBytes, overwrittenLines * 1000);
  const batch = pair.drain()!;
  assertEquals(batch.gapLines, overwrittenLines);
  assertEquals(batch.frameTimes[0], overwrittenLines);
  assertEquals(batch.lines, 61 - overwrittenLines);
});

Deno.test("a ring is crowded when more than half of it is full", () => {
  const half = new RingPair().ring.ringBytes / 2;
  for (const over of [0, 8]) {
    const pair = new RingPair();
    pair.push(lineOf(half - HEADER_BYTES + over), 1);
    assertEquals(pair.producer.crowded, over > 0);
    pair.pop();
    assertEquals(pair.producer.crowded, false);
  }
});

Deno.test("the largest frame fills the ring and pushes everything else out", () => {
  const pair = new RingPair();
  pair.pushText("old\n");
  pair.pushText("older\n");
  const payload = lineOf(pair.producer.maxPayloadBytes);
  assertEquals(pair.push(payload, 1), {
    outcome: "stored",
    overwrittenLines: 2,
    overwrittenBytes: 10,
  });
  const batch = pair.drain()!;
  assertEquals(batch.bytes, payload);
  assertEquals([batch.gapLines, batch.gapBytes], [2, 10]);
});

Deno.test("a frame that is too large for the ring, or for the hand, is refused", () => {
  for (const pair of [new RingPair(), new RingPair({ handBytes: 4096 })]) {
    pair.pushText("kept\n");
    const { ring, producer } = pair;
    assert(producer.maxPayloadBytes <= ring.ringBytes - 2 * HEADER_BYTES);
    assert(producer.maxPayloadBytes <= ring.handBytes);
    assertThrows(
      () => producer.push(ring.landingAt, producer.maxPayloadBytes + 1, 1, 0, 0),
      RangeError,
      "does not fit",
    );
    const largest = lineOf(producer.maxPayloadBytes);
    pair.push(largest, 1);
    assertEquals(pair.drainAll().at(-1)!.bytes, largest);
  }
});

Deno.test("under drop-newest, what does not fit is lost and shows as a gap", () => {
  const pair = new RingPair({ policy: "drop-newest" });
  pair.push(lineOf(60_000), 1, 0, 1);
  assertEquals(pair.push(lineOf(20_000), 1, 0, 2).outcome, "dropped");
  assertEquals(pair.push(lineOf(10_000), 1, 0, 3).outcome, "dropped");
  assertEquals(pair.pushText("fits\n", 4).outcome, "stored");
  assertEquals(pair.pop()!.gapBytes, 0);
  const { bytes, gapLines, gapBytes, gapFrom, gapTo } = pair.pop()!;
  assertEquals(bytes, encode("fits\n"));
  assertEquals([gapLines, gapBytes, gapFrom, gapTo], [2, 30_000, 1, 4]);
});

Deno.test("under block, what does not fit can be tried again", () => {
  const pair = new RingPair({ policy: "block" });
  pair.push(lineOf(60_000), 1);
  assertEquals(pair.push(lineOf(20_000), 1).outcome, "full");
  pair.pop();
  assertEquals(pair.push(lineOf(20_000), 1).outcome, "stored");
  assertEquals(pair.pop()!.gapBytes, 0);
});

Deno.test("a request for room is answered once", () => {
  const pair = new RingPair({ policy: "block" });
  assert(!pair.consumer.takeRoomRequest());
  pair.producer.requestRoom();
  assert(pair.consumer.takeRoomRequest());
  assert(!pair.consumer.takeRoomRequest());
  assertEquals(pair.atomics.load(ROOM), 0);
});

Deno.test("close keeps what is in the ring, and says when that was all", () => {
  const pair = new RingPair();
  pair.pushText("last\n", 1);
  pair.producer.close(0, 0, 2);
  assert(!pair.consumer.ended);
  const batch = pair.drain()!;
  assertEquals([textOf(batch), batch.end], ["last\n", true]);
  assert(pair.consumer.ended);
  assertEquals(pair.drain(), undefined);
});

Deno.test("close has room in a ring that is exactly full", () => {
  for (const policy of ["overwrite", "drop-newest", "block"] as const) {
    const pair = new RingPair({ policy });
    pair.push(lineOf(pair.producer.maxPayloadBytes), 1);
    pair.producer.close(0, 0, 0);
    const { lines, gapBytes, end } = pair.drain()!;
    assertEquals([lines, gapBytes, end], [1, 0, true]);
  }
});

Deno.test("an unfinished last line counts when the ring is closed", () => {
  const pair = new RingPair();
  pair.push(encode("no newline"), 0, ENDS_INSIDE);
  pair.producer.close(1, STARTS_INSIDE, 0);
  const { lines, end } = pair.drain()!;
  assertEquals([lines, end], [1, true]);
});

Deno.test("after close, push and close throw", () => {
  const pair = new RingPair();
  pair.producer.close(0, 0, 0);
  assertThrows(() => pair.pushText("late\n"), RingClosedError, "closed");
  assertThrows(() => pair.producer.close(0, 0, 0), RingClosedError);
  const { bytes, end } = pair.drain()!;
  assertEquals([bytes.length, end], [0, true]);
});

Deno.test("what follows of a line whose beginning is lost goes with it", () => {
  const pair = new RingPair({ startTime: 7 });
  pair.push(new Uint8Array(30_000).fill(97), 0, ENDS_INSIDE, 10);
  pair.push(new Uint8Array(10_000).fill(98), 0, STARTS_INSIDE | ENDS_INSIDE, 11);
  pair.push(encode("ccc\n"), 1, STARTS_INSIDE, 12);
  pair.pushText("whole\n", 13);
  const { overwrittenBytes, overwrittenLines } = pair.push(lineOf(27_000), 1, 0, 14);
  assertEquals([overwrittenBytes, overwrittenLines], [30_000, 0]);
  const batch = pair.drain()!;
  assertEquals(textOf(batch).slice(0, 6), "whole\n");
  assertEquals(batch.gapLines, 1);
  assertEquals(batch.gapBytes, 40_004);
  assertEquals([batch.gapFrom, batch.gapTo], [7, 13]);
  assertEquals(pair.consumer.discardedBytes, 10_004);
  assertEquals(pair.consumer.discardedLines, 1);
});

Deno.test("a lost line that still goes on is announced when it has ended", () => {
  const pair = new RingPair({ policy: "drop-newest" });
  pair.push(new Uint8Array(40_000), 0, ENDS_INSIDE, 1);
  assertEquals(pair.push(new Uint8Array(30_000), 0, 3, 2).outcome, "dropped");
  assertEquals(pair.pop()!.bytes.length, 40_000);
  pair.push(new Uint8Array(100), 0, STARTS_INSIDE | ENDS_INSIDE, 3);
  assertEquals(pair.drain(), undefined);
  pair.push(encode("end\n"), 1, STARTS_INSIDE, 4);
  assertEquals(pair.drain(), undefined);
  assertEquals(pair.consumer.discardedBytes, 104);
  pair.pushText("next\n", 5);
  const batch = pair.drain()!;
  assertEquals(textOf(batch), "next\n");
  assertEquals([batch.gapLines, batch.gapBytes], [1, 30_104]);
  assertEquals([batch.gapFrom, batch.gapTo], [1, 5]);
});

Deno.test("a gap right before the end is announced with the end", () => {
  const pair = new RingPair({ policy: "drop-newest" });
  pair.push(new Uint8Array(40_000), 0, ENDS_INSIDE, 1);
  pair.push(new Uint8Array(30_000), 0, STARTS_INSIDE | ENDS_INSIDE, 2);
  pair.producer.close(1, STARTS_INSIDE, 3);
  assertEquals(pair.pop()!.end, false);
  const { bytes, lines, gapLines, gapBytes, gapTo, end } = pair.pop()!;
  assertEquals([bytes.length, lines, end], [0, 0, true]);
  assertEquals([gapLines, gapBytes, gapTo], [1, 30_000, 3]);
  assertEquals(pair.consumer.discardedLines, 1);
  assert(pair.consumer.ended);
});

Deno.test("an empty frame shows a gap and is nothing else", () => {
  const pair = new RingPair({ policy: "drop-newest" });
  pair.push(lineOf(60_000), 1);
  pair.push(lineOf(60_000), 1);
  pair.push(new Uint8Array(0), 0);
  assertEquals(pair.pop()!.lines, 1);
  const { bytes, lines, gapLines, gapBytes } = pair.pop()!;
  assertEquals([bytes.length, lines, gapLines, gapBytes], [0, 0, 1, 60_000]);
});

Deno.test("frames without a byte go round as any others", () => {
  const pair = new RingPair();
  const frames = Math.floor(pair.ring.ringBytes / HEADER_BYTES) - 1;
  for (let index = 0; index < 3 * frames; index++) {
    pair.push(new Uint8Array(0), 0, 0, index);
  }
  const times = pair.drainAll().flatMap(({ frameTimes }) => frameTimes);
  assertEquals(times.length, frames);
  assertEquals(times.at(-1), 3 * frames - 1);
});
