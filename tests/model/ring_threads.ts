/** The two threads whose interleavings are tried: the real code, on a tiny ring. */

import { assert, assertEquals } from "@std/assert";
import { LineFramer } from "../../src/input/line_framer.ts";
import { Doorbell } from "../../src/threads/doorbell.ts";
import { ENDS_INSIDE, STARTS_INSIDE, WORDS_BYTES } from "../../src/lane/layout.ts";
import type { Batch } from "../../src/lane/batch.ts";
import { RingConsumer } from "../../src/lane/ring_consumer.ts";
import type { Lane } from "../../src/lane/lane.ts";
import { type FullPolicy, RingProducer } from "../../src/lane/ring_producer.ts";
import { newCounters } from "../lane/small_lane.ts";
import { type Access, doorbellAtomics, type Perform, ringAtomics } from "./access.ts";
import type { Model } from "./interleavings.ts";
import type { Rest } from "./replayed_thread.ts";

export interface Scenario {
  readonly policy: FullPolicy;
  readonly ringBytes: number;
  /** Where head and tail begin, in units of 8 bytes. */
  readonly position: number;
  /** What is pushed: each text is a frame. One without a newline is a piece of a line. */
  readonly frames: readonly string[];
  /** The most that one drain takes. */
  readonly maxFrames: number;
}

/** Lost by the producer or, if discarded, by the consumer. */
export interface Amount {
  readonly bytes: number;
  readonly lines: number;
}

export interface Consumed {
  readonly gap: Amount;
  readonly discarded: Amount;
}

const LANDING_AT = WORDS_BYTES + 1024;
const HAND_AT = WORDS_BYTES + 2048;
const RING_AT = WORDS_BYTES + 4096;
const AREA_BYTES = 512;
const MAX_LINE_BYTES = 128;
/** Longer than whole lines wait for company, in ms. */
const GATHERED_MS = 1000;
/** More often than any producer is woken for one frame. */
const MAX_WAKE_UPS = 100;

export function ringMemory(ringBytes: number): Lane {
  return {
    memory: new WebAssembly.Memory({ initial: 2, maximum: 2, shared: true }),
    at: 0,
    landingAt: LANDING_AT,
    landingBytes: AREA_BYTES,
    handAt: HAND_AT,
    handBytes: AREA_BYTES,
    outputAt: HAND_AT + AREA_BYTES,
    outputBytes: 0,
    ringAt: RING_AT,
    ringBytes,
    // Only for sizes that have nothing to do with how full the ring is.
    capacityBytes: 64 * 1024,
  };
}

/** The ring's two ends, each with as little around it as it can have. */
export function ringModel(scenario: Scenario): Model<Amount, Consumed> {
  const { ringBytes, policy, position } = scenario;
  const [mine, theirs] = [ringMemory(ringBytes), ringMemory(ringBytes)];
  const guard = new Uint8Array(mine.memory.buffer, RING_AT + ringBytes, ringBytes);
  const run = policy === "block" ? produceBlocking : produce;
  return {
    position,
    mine,
    theirs,
    produce: (perform, rest) => {
      const lost = run(scenario, mine, perform, rest);
      assert(guard.every((byte) => byte === 0), "written past the ring");
      return lost;
    },
    consume: (perform, rest) => consume(scenario, theirs, perform, rest),
    // What the producer has lost is what the consumer has missed, and it has all the rest.
    checkEnd: (lost, { gap, discarded }) =>
      assertEquals(gap, {
        bytes: lost.bytes + discarded.bytes,
        lines: lost.lines + discarded.lines,
      }),
  };
}

const encoder = new TextEncoder();
const bell = { words: new SharedArrayBuffer(1024), counter: -1 };
/** What the framer counts is not looked at: it counts at every replay. */
const counters = newCounters();

/** What a thread last learned about the tail, which it keeps to itself. */
export class TailSeen {
  tail = -1;
  claimed = -1;
  /** Exchanges that succeeded since one failed. */
  claims = 0;

  watch(perform: Perform): Perform {
    return (access: Access) => {
      const found = perform(access);
      if (access.kind === "load" && access.word === "tail") this.tail = found;
      if (access.kind !== "compareExchange" || access.word !== "tail") return found;
      const succeeded = found === access.expected;
      this.tail = succeeded ? access.value : found;
      if (succeeded) this.claimed = access.value;
      this.claims = succeeded ? this.claims + 1 : 0;
      return found;
    };
  }
}

/** Pushes the frames, rings after each, and closes. Returns what it has lost. */
function produce(
  scenario: Scenario,
  ring: Lane,
  makeAccess: Perform,
  rest: Rest,
): Amount {
  new Uint8Array(ring.memory.buffer).fill(0, 0, WORDS_BYTES);
  const seen = new TailSeen();
  const perform = seen.watch(makeAccess);
  const producer = new RingProducer(ring, scenario.policy, ringAtomics(perform));
  const doorbell = Doorbell.attach(bell, doorbellAtomics(perform));
  const landing = new Uint8Array(ring.memory.buffer, ring.landingAt, ring.landingBytes);
  let [bytes, lines] = [0, 0];
  let inside = false;
  for (const [time, text] of scenario.frames.entries()) {
    rest(`${time} ${seen.tail} ${bytes} ${lines} ${ringIn(ring)}`);
    const payload = encoder.encode(text);
    landing.set(payload);
    const unfinished = !text.endsWith("\n");
    const flags = (inside ? STARTS_INSIDE : 0) | (unfinished ? ENDS_INSIDE : 0);
    inside = unfinished;
    const frameLines = linesIn(text);
    const pushed = producer.push(ring.landingAt, payload.length, frameLines, flags, time);
    bytes += pushed.overwrittenBytes;
    lines += pushed.overwrittenLines;
    if (pushed.outcome === "dropped") {
      bytes += payload.length;
      lines += frameLines;
    }
    doorbell.ring(0);
  }
  producer.close(0, 0, scenario.frames.length);
  doorbell.ring(0);
  return { bytes, lines };
}

/** Under `block`: the framer pushes, and waits for the wake-up pipe as the reader does. */
function produceBlocking(
  scenario: Scenario,
  ring: Lane,
  makeAccess: Perform,
  rest: Rest,
): Amount {
  new Uint8Array(ring.memory.buffer).fill(0, 0, WORDS_BYTES);
  const seen = new TailSeen();
  const perform = seen.watch(makeAccess);
  const producer = new RingProducer(ring, scenario.policy, ringAtomics(perform));
  const doorbell = Doorbell.attach(bell, doorbellAtomics(perform));
  const framer = new LineFramer(ring, producer, counters, MAX_LINE_BYTES, () => {
    throw new Error("lines were lost under block");
  });
  let nowMs = 0;
  for (const text of scenario.frames) {
    rest(`${nowMs} ${seen.tail} ${ringIn(ring)}`);
    const payload = encoder.encode(text);
    new Uint8Array(ring.memory.buffer).set(payload, framer.landAt);
    framer.landed(payload.length, nowMs * 1000, nowMs);
    framer.tick(nowMs += GATHERED_MS);
    doorbell.ring(0);
    for (let wakeUps = 0; framer.blocked; wakeUps++) {
      assert(wakeUps < MAX_WAKE_UPS, "woken again and again for nothing");
      perform({ kind: "poll", word: "wakeUps" });
      framer.unblock(nowMs);
      doorbell.ring(0);
    }
  }
  framer.close(nowMs * 1000);
  doorbell.ring(0);
  return { bytes: 0, lines: 0 };
}

/**
 * An output loop with an outlet that has no sink: takes until the end, and checks what
 * it has taken.
 */
function consume(
  scenario: Scenario,
  ring: Lane,
  makeAccess: Perform,
  rest: Rest,
): Consumed {
  new Uint8Array(ring.memory.buffer).fill(0, 0, WORDS_BYTES);
  const seen = new TailSeen();
  const perform = seen.watch(makeAccess);
  const consumer = new RingConsumer(ring, -1, ringAtomics(perform));
  const doorbell = Doorbell.attach(bell, doorbellAtomics(perform));
  const output = new CheckedOutput(scenario, ring);
  let called = true;
  while (!consumer.ended) {
    const discarded = `${consumer.discardedBytes} ${consumer.discardedLines}`;
    rest(`${seen.claimed} ${seen.claims} ${discarded} ${output.progress} ${called}`);
    if (!called) {
      doorbell.answer(1, () => called = true);
      if (called) continue;
      if (doorbell.beginSleep(1)) perform({ kind: "poll", word: "bell" });
      doorbell.endSleep();
      continue;
    }
    if (consumer.peekTime() === undefined) {
      called = false;
      continue;
    }
    const batch = consumer.drain(scenario.maxFrames);
    if (consumer.takeRoomRequest()) {
      perform({ kind: "add", word: "wakeUps", amount: 1 });
    }
    if (batch !== undefined) output.take(batch);
  }
  return {
    gap: output.atEnd(),
    discarded: { bytes: consumer.discardedBytes, lines: consumer.discardedLines },
  };
}

function ringIn({ memory, ringAt, ringBytes }: Lane): string {
  return new Uint8Array(memory.buffer, ringAt, ringBytes).join();
}

function linesIn(text: string): number {
  return text.split("\n").length - 1;
}

/** Follows the input with a finger: what comes out is what is there, or it is a gap. */
class CheckedOutput {
  readonly #input: string;
  readonly #maxFrames: number;
  readonly #hand: Uint8Array;
  #at = 0;
  #gapBytes = 0;
  #gapLines = 0;

  constructor({ frames, maxFrames }: Scenario, { memory, handAt }: Lane) {
    this.#input = frames.join("");
    this.#maxFrames = maxFrames;
    this.#hand = new Uint8Array(memory.buffer, handAt, AREA_BYTES);
  }

  take(batch: Batch): void {
    const missing = this.#input.slice(this.#at, this.#at + batch.gapBytes);
    assertEquals(missing.length, batch.gapBytes, "a gap reaches past the input");
    assertEquals(linesIn(missing), batch.gapLines, "a gap says how many lines it has");
    this.#gapBytes += batch.gapBytes;
    this.#gapLines += batch.gapLines;
    this.#at += batch.gapBytes;
    if (batch.gapBytes > 0) assert(batch.gapFrom < batch.gapTo, "a gap takes time");
    const text = String.fromCharCode(...this.#hand.subarray(0, batch.bytes));
    assertEquals(text, this.#input.slice(this.#at, this.#at + batch.bytes));
    assertEquals(linesIn(text), batch.lines);
    assertEquals(batch.firstLine, linesIn(this.#input.slice(0, this.#at)));
    assert(batch.frames <= this.#maxFrames);
    if (batch.gapBytes > 0 && batch.bytes > 0) {
      assert(this.#input[this.#at - 1] === "\n", "what follows a gap is a whole line");
    }
    this.#at += batch.bytes;
  }

  /** All that later checks depend on. */
  get progress(): string {
    return `${this.#at} ${this.#gapBytes} ${this.#gapLines}`;
  }

  atEnd(): Amount {
    assertEquals(this.#at, this.#input.length, "the end comes before all has come");
    return { bytes: this.#gapBytes, lines: this.#gapLines };
  }
}
