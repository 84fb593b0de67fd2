/**
 * A machine that fails: of a lane's file a disk has each page as it was at some moment, or
 * nothing of it. The real reader's side and the real consumer, in an order that comes from
 * a seed.
 */

import { assert, assertEquals } from "@std/assert";
import { LineFramer } from "../../src/input/line_framer.ts";
import { landingBytesFor } from "../../src/input/landing.ts";
import { allocateLane, type Lane, MIN_CAPACITY } from "../../src/lane/lane.ts";
import { LaneCounters } from "../../src/lane/lane_counters.ts";
import { LeftLane } from "../../src/lane/left_lane.ts";
import {
  FRAME_FIRST_BYTE,
  frameLength,
  HEAD,
  HEADER_BYTES,
  SETTLED,
  STARTS_INSIDE,
  UNIT,
} from "../../src/lane/layout.ts";
import { kernels } from "../../src/kernels/kernels.ts";
import { RingConsumer } from "../../src/lane/ring_consumer.ts";
import { type FullPolicy, RingProducer } from "../../src/lane/ring_producer.ts";
import { Settled } from "../../src/lane/settled.ts";
import { Place } from "../../src/lane/place.ts";
import { SoundFrames } from "../../src/lane/sound_frames.ts";
import { isSealed, seal } from "../../src/lane/whole_lane.ts";
import { Random } from "../faults/random.ts";

const PAGE_BYTES = 4096;
/** Of a place that is settled. */
const RECORD_BYTES = 24;
const SEED = 4711;
const MAX_LINE_BYTES = 1000;
const LINE_BYTES = 2500;
const SHORT_LINE_BYTES = 40;
const LINES = 300;
/** No two places in it look alike; every third line comes in pieces. */
const TEXT = Array.from({ length: LINES }, (_, line) => {
  const bytes = line % 3 === 0 ? LINE_BYTES : SHORT_LINE_BYTES * (1 + line % 7);
  const words = Array.from({ length: 400 }, (_, word) => 1000 * line + word);
  return `${words.join(" ").slice(0, bytes - 1)}\n`;
}).join("");
const INPUT = new TextEncoder().encode(TEXT);

function makeLane(capacityBytes = MIN_CAPACITY): Lane {
  const sizes = {
    capacityBytes,
    landingBytes: landingBytesFor(MAX_LINE_BYTES),
    handBytes: 16 * 1024,
    outputBytes: 0,
  };
  return { ...allocateLane(sizes), kept: true, checkSeed: SEED };
}

function fileOf({ memory, at, outputAt }: Lane): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new Uint8Array(memory.buffer, at, outputAt - at));
}

/** The file as it was at some moment. */
interface Version {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** How much of the input was delivered. */
  readonly deliveredBytes: number;
}

/** A frame that was pushed: all of it, and where in the ring. */
interface Pushed {
  readonly at: number;
  readonly image: Uint8Array;
  readonly firstByte: number;
  readonly bytes: number;
  readonly startsInside: boolean;
}

/** What is in the ring from an offset on, and where that ends at its beginning. */
function inRing(
  { memory, ringAt, ringBytes }: Lane,
  at: number,
  bytes: number,
): Uint8Array {
  const ring = new Uint8Array(memory.buffer, ringAt, ringBytes);
  return Uint8Array.from(
    { length: bytes },
    (_, index) => ring[(at + index) % ringBytes]!,
  );
}

/** Notes what is pushed. */
class NotedProducer extends RingProducer {
  readonly pushed: Pushed[] = [];
  readonly #lane: Lane;

  constructor(lane: Lane, policy: FullPolicy) {
    super(lane, policy);
    this.#lane = lane;
  }

  override push(...args: Parameters<RingProducer["push"]>) {
    const head = kernels(this.#lane.memory).load(this.#lane.at + HEAD);
    const pushed = super.push(...args);
    if (pushed.outcome !== "stored") return pushed;
    const [, bytes, , flags] = args;
    const at = head * UNIT % this.#lane.ringBytes;
    const image = inRing(this.#lane, at, HEADER_BYTES + bytes);
    const firstByte = new DataView(image.buffer).getUint32(FRAME_FIRST_BYTE, true);
    const startsInside = (flags & STARTS_INSIDE) !== 0;
    this.pushed.push({ at, image, firstByte, bytes, startsInside });
    return pushed;
  }
}

/** A run up to the moment when the machine fails. */
class Run {
  readonly lane = makeLane();
  readonly versions: Version[] = [];
  readonly producer: NotedProducer;
  readonly #random: Random;
  readonly #framer: LineFramer;
  readonly #consumer: RingConsumer;
  #readBytes = 0;
  #deliveredBytes = 0;

  constructor(random: Random, policy: FullPolicy) {
    this.#random = random;
    new Settled(this.lane, SEED).note(new Place());
    this.producer = new NotedProducer(this.lane, policy);
    this.#framer = new LineFramer(
      this.lane,
      this.producer,
      new LaneCounters(this.lane),
      MAX_LINE_BYTES,
      () => {},
    );
    this.#consumer = new RingConsumer(this.lane, 1);
  }

  go(deliveries: number): void {
    const end = this.#random.between(INPUT.length / 2, INPUT.length);
    for (let nowMs = 1; this.#readBytes < end; nowMs += 5) {
      if (this.#random.next() < 0.1) this.#writeBack();
      if (this.#random.next() < deliveries) this.#deliver();
      else this.#read(nowMs);
    }
    if (this.#random.next() < 0.5) this.#end();
    this.#writeBack();
  }

  #end(): void {
    for (let nowMs = 1e6; this.#framer.blocked; nowMs++) {
      this.#deliver();
      this.#framer.unblock(nowMs);
    }
    this.#framer.pushUnfinished();
    if (this.#framer.blocked) return;
    this.#framer.close(1e12);
  }

  #writeBack(): void {
    const bytes = fileOf(this.lane);
    this.versions.push({ bytes, deliveredBytes: this.#deliveredBytes });
  }

  /** What is in the hand has been delivered when the next is asked for. */
  #deliver(): void {
    const before = new Place();
    before.readFrom(new DataView(this.lane.memory.buffer), this.lane.at);
    this.#consumer.drain(this.#random.between(1, 20));
    this.#deliveredBytes = before.byte.value;
  }

  #read(nowMs: number): void {
    if (this.#framer.blocked) {
      this.#framer.unblock(nowMs);
      if (this.#framer.blocked) this.#deliver();
      return;
    }
    const rest = INPUT.subarray(this.#readBytes);
    const most = Math.min(rest.length, this.#framer.room, 9000);
    const bytes = this.#random.between(1, most);
    new Uint8Array(this.lane.memory.buffer).set(
      rest.subarray(0, bytes),
      this.#framer.landAt,
    );
    this.#readBytes += bytes;
    this.#framer.landed(bytes, nowMs * 1000, nowMs);
    this.#framer.tick(nowMs);
  }
}

/** What a disk has after it: each page of one of the versions, or nothing of it. */
function failed(run: Run, random: Random): Lane & { readonly pages: Uint8Array[] } {
  const lane = makeLane();
  const memory = new Uint8Array(lane.memory.buffer);
  const pages: Uint8Array[] = [];
  const { versions } = run;
  const ofRing = random.oneOf([1, 2, versions.length]);
  const pool = random.next() < 0.2 ? versions.slice(0, 4) : versions.slice(-ofRing);
  const ofWords = random.oneOf([1, versions.length]);
  const blankWords = random.next() < 0.2;
  for (let at = 0; at < lane.outputAt - lane.at; at += PAGE_BYTES) {
    const { bytes } = random.oneOf(at === 0 ? versions.slice(-ofWords) : pool);
    const isBlank = at === 0 ? blankWords : random.next() < 0.02;
    const page = isBlank
      ? new Uint8Array(PAGE_BYTES)
      : bytes.subarray(at, at + PAGE_BYTES);
    memory.set(page, lane.at + at);
    pages.push(page);
  }
  return { ...lane, pages };
}

/** What is left of it, and what comes out. */
function recover(lane: Lane): { sound: SoundFrames; output: Output } {
  const before = fileOf(lane);
  const sound = new SoundFrames(lane);
  const { capacityBytes } = sound;
  const copy: Lane = { ...makeLane(capacityBytes), damaged: true };
  sound.copyTo(copy, 1);
  assertEquals(fileOf(lane), before, "it is only looked at");
  const left = new LeftLane(copy, true);
  assert(left.ended);
  assertEquals([left.amount, left.missing], [sound.sound, sound.missing]);
  left.prepare(1);
  const counts = new LaneCounters(copy).read(false);
  assertEquals(
    [counts.linesRecovered, counts.bytesRecovered],
    [sound.sound.lines, sound.sound.bytes].map(BigInt),
  );
  assertEquals(
    [counts.linesDamaged, counts.bytesDamaged],
    [sound.missing.lines, sound.missing.bytes].map(BigInt),
  );
  const consumer = new RingConsumer(copy, 1);
  const output: Output = [];
  while (!consumer.ended) {
    const batch = consumer.drain();
    if (batch === undefined) throw new Error("the stream does not end");
    const { gapLines, gapBytes } = batch;
    if (gapLines > 0 || gapBytes > 0) output.push({ lines: gapLines, bytes: gapBytes });
    const hand = new Uint8Array(copy.memory.buffer, copy.handAt, batch.bytes);
    output.push(new TextDecoder().decode(new Uint8Array(hand)));
  }
  assertEquals(consumer.discardedBytes, 0);
  const gaps = output.filter((part) => typeof part !== "string");
  assertEquals([sum(gaps, "lines"), sum(gaps, "bytes")], [
    sound.missing.lines,
    sound.missing.bytes,
  ]);
  return { sound, output };
}

function sum<Name extends string>(
  parts: readonly { readonly [name in Name]: number }[],
  name: Name,
): number {
  return parts.reduce((total, part) => total + part[name], 0);
}

/** Text, and how much is missing between it. */
type Output = (string | { readonly lines: number; readonly bytes: number })[];

function linesIn(from: number, to: number): number {
  return TEXT.slice(from, to).split("\n").length - 1;
}

/** The input from `from` on, with gaps that say how much it is. Where that ends. */
function follow(output: Output, from: number): number {
  let at = from;
  for (const [index, part] of output.entries()) {
    if (typeof part === "string") {
      assertEquals(part, TEXT.slice(at, at + part.length), `from ${at} on`);
      at += part.length;
      continue;
    }
    const next = at + part.bytes;
    const isLast = index >= output.length - 2 && output.at(-1) === "";
    const openLine = isLast && part.lines === linesIn(at, next) + 1 ? 1 : 0;
    assertEquals(part.lines, linesIn(at, next) + openLine, `lines from ${at} to ${next}`);
    at = next;
    if (openLine === 0) {
      const begins = TEXT[at - 1] === "\n";
      assert(begins || isLast, `what comes after a gap begins a line, at ${at}`);
    }
  }
  return at;
}

for (const policy of ["overwrite", "drop-newest", "block"] as const) {
  for (const deliveries of [0.01, 0.4, 0.95]) {
    Deno.test(`${policy}, ${deliveries} deliveries: nothing but what was read comes out of what a disk has of it`, () => {
      for (let seed = 1; seed <= 15; seed++) {
        const random = new Random(seed);
        const run = new Run(random, policy);
        run.go(deliveries);
        const lane = failed(run, random);
        try {
          const settled = new Settled(lane, SEED).place;
          const { sound, output } = recover(lane);
          const isKnown = settled !== undefined;
          if (isKnown) {
            const words = lane.pages[0]!;
            const version = run.versions.find(({ bytes }) =>
              bytes.subarray(0, PAGE_BYTES).every((byte, at) => byte === words[at])
            )!;
            assertEquals(settled.byte, version.deliveredBytes);
            assertEquals(settled.line, linesIn(0, settled.byte));
          }
          const from = settled?.byte ?? firstByteOf(output);
          const end = follow(output, from);
          assertEquals(end - from, sound.sound.bytes + sound.missing.bytes);
          const ends = end === from || TEXT[end - 1] === "\n" ? 0 : 1;
          const lines = linesIn(from, end) + ends;
          assertEquals(sound.sound.lines + sound.missing.lines, lines);
          assert(isKnown || from === 0 || TEXT[from - 1] === "\n");
          assertEquals(partsOf(output, from), wholeFrames(run, lane, from));
        } catch (error) {
          throw new Error(`seed ${seed}`, { cause: error });
        }
      }
    });
  }
}

/** The numbers of all bytes that have come out. */
function partsOf(output: Output, from: number): string {
  let at = from;
  const parts: string[] = [];
  for (const part of output) {
    const end = at + (typeof part === "string" ? part.length : part.bytes);
    if (typeof part === "string" && end > at) parts.push(`${at} to ${end}`);
    at = end;
  }
  return joined(parts);
}

/** The same of the frames that the disk has whole, and that have a beginning. */
function wholeFrames({ producer }: Run, lane: Lane, from: number): string {
  let next = from;
  const parts: string[] = [];
  for (const { at, image, firstByte, bytes, startsInside } of producer.pushed) {
    if (bytes === 0 || firstByte < from) continue;
    const found = inRing(lane, at, image.length);
    if (!found.every((byte, index) => byte === image[index])) continue;
    if (startsInside && firstByte !== next) continue;
    next = firstByte + bytes;
    parts.push(`${firstByte} to ${next}`);
  }
  return joined(parts);
}

/** `0 to 10, 10 to 20` as `0 to 20`. */
function joined(parts: readonly string[]): string {
  return parts.join(", ").replaceAll(/ to (\d+), \1(?= to)/g, "");
}

function firstByteOf(output: Output): number {
  const text = output.find((part) => typeof part === "string" && part !== "");
  return text === undefined ? 0 : TEXT.indexOf(text as string);
}

Deno.test("a ring that is full to the last byte of frames that were checked leaves room for the end", () => {
  const lane = makeLane();
  const frames = 131;
  const payload = lane.ringBytes / frames - HEADER_BYTES;
  assertEquals(frameLength(payload) * frames, lane.ringBytes);
  const producer = new RingProducer(lane, "overwrite");
  const line = new Uint8Array(payload).fill(65).with(payload - 1, 10);
  new Uint8Array(lane.memory.buffer).set(line, lane.landingAt);
  for (let frame = 0; frame < frames + 10; frame++) {
    producer.push(lane.landingAt, payload, 1, 0, 1e15);
  }
  const sound = new SoundFrames(lane);
  assertEquals([sound.sound.lines, sound.missing.lines], [frames - 1, 1]);
  const { output } = recover(lane);
  assertEquals(output[0], { lines: 1, bytes: payload });
});

Deno.test("a frame that somebody has logged is text", () => {
  const other: Lane = { ...makeLane(), checkSeed: SEED + 1 };
  new Uint8Array(other.memory.buffer).set(INPUT.subarray(0, 100), other.landingAt);
  new RingProducer(other, "overwrite").push(other.landingAt, 100, 1, 0, 1e15);
  const lane = makeLane();
  const image = inRing(other, 0, HEADER_BYTES + 104);
  new Uint8Array(lane.memory.buffer).set(image, lane.landingAt);
  new RingProducer(lane, "overwrite").push(lane.landingAt, image.length, 1, 0, 1e15);
  // The frame that it is in is damaged.
  new Uint8Array(lane.memory.buffer)[lane.ringAt + HEADER_BYTES + image.length - 1]! ^= 1;
  const { sound, missing } = new SoundFrames(lane);
  assertEquals([sound.bytes, missing.bytes], [0, image.length]);
});

Deno.test("a lane that is sealed is not when anything in it is older", () => {
  const lane = makeLane();
  const random = new Random(1);
  const memory = new Uint8Array(lane.memory.buffer);
  for (let at = lane.at; at < lane.outputAt; at++) memory[at] = random.between(0, 255);
  assert(!isSealed(lane, SEED));
  seal(lane, SEED);
  assert(isSealed(lane, SEED));
  assert(!isSealed(lane, SEED + 1));
  for (let page = lane.at; page < lane.outputAt; page += PAGE_BYTES) {
    const at = page + random.between(0, PAGE_BYTES - 1);
    memory[at]! ^= 1;
    assert(!isSealed(lane, SEED), `byte ${at}`);
    memory[at]! ^= 1;
  }
  assert(isSealed(lane, SEED));
});

Deno.test("of two places the last one counts, and the one before where that is torn", () => {
  const lane = makeLane();
  const note = (settled: Settled, byte: number) => {
    const place = new Place();
    place.byte.add(byte);
    settled.note(place);
  };
  const first = new Settled(lane, SEED);
  assertEquals(first.place, undefined);
  for (const byte of [10, 20, 30]) {
    note(first, byte);
    assertEquals(first.place?.byte, byte);
  }
  note(new Settled(lane, SEED), 40);
  assertEquals(new Settled(lane, SEED).place?.byte, 40);
  const words = new DataView(lane.memory.buffer, lane.at + SETTLED, 2 * RECORD_BYTES);
  const newest = words.getUint32(8, true) === 40 ? 0 : RECORD_BYTES;
  words.setUint32(newest + 8, 41, true);
  assertEquals(new Settled(lane, SEED).place?.byte, 30);
});

Deno.test("a stream that went on after its end has no end in its middle", () => {
  // The frame that was the end is the last thing in its page, and older than the rest.
  const bytes = 2 * PAGE_BYTES - 2 * HEADER_BYTES;
  const push = (lane: Lane) => {
    new Uint8Array(lane.memory.buffer).set(INPUT.subarray(0, bytes), lane.landingAt);
    const producer = new RingProducer(lane, "overwrite");
    producer.push(lane.landingAt, bytes, 3, 0, 1e15);
    return producer;
  };
  const [older, newer] = [makeLane(), makeLane()];
  push(older).close(0, 0, 1e15);
  const producer = push(newer);
  producer.push(newer.landingAt, 100, 1, 0, 1e15);
  producer.push(newer.landingAt, 100, 1, 0, 1e15);
  const lane = makeLane();
  const memory = new Uint8Array(lane.memory.buffer);
  memory.set(inRing(newer, 0, lane.ringBytes), lane.ringAt);
  memory.set(inRing(older, 0, 2 * PAGE_BYTES), lane.ringAt);
  const { output } = recover(lane);
  assertEquals(output.filter((part) => typeof part !== "string"), [{
    lines: 1,
    bytes: 100,
  }]);
  assertEquals(output.map((part) => typeof part === "string" ? part.length : 0), [
    bytes,
    0,
    100,
  ]);
});
