/**
 * A process that is killed after any of the stores that it makes: what it had read and
 * not delivered is in the lane. The real reader's side and the real outlet, one after the
 * other in one thread, in an order that comes from a seed.
 */

import { assert, assertEquals } from "@std/assert";
import { landingBytesFor } from "../../src/input/landing.ts";
import { LineFramer } from "../../src/input/line_framer.ts";
import { RawFormat } from "../../src/formats/raw.ts";
import { allocateLane, type Lane, MIN_CAPACITY } from "../../src/lane/lane.ts";
import { LaneCounters } from "../../src/lane/lane_counters.ts";
import { LeftLane } from "../../src/lane/left_lane.ts";
import { type FullPolicy, RingProducer } from "../../src/lane/ring_producer.ts";
import { Outlet } from "../../src/output/outlet.ts";
import { Board } from "../../src/threads/board.ts";
import { Random } from "../faults/random.ts";
import { FakeSink } from "../output/fake_sink.ts";

const LINE_BYTES = 2500;
/** Lines are whole, or come in pieces. */
const MAX_LINE_BYTES = [8 * 1024, 1000];
const LINES = 45;
const SEED = 1;
const SHORT_LINE_BYTES = 20;
const PAGE_BYTES = 4096;
/** No two places in it look alike. */
const TEXT = Array.from({ length: LINES }, (_, line) => {
  const bytes = line % 3 === 0 ? SHORT_LINE_BYTES : LINE_BYTES;
  const words = Array.from({ length: 400 }, (_, word) => 1000 * line + word);
  return `${words.join(" ").slice(0, bytes - 1)}\n`;
}).join("");
const INPUT = new TextEncoder().encode(TEXT);

/** Thrown in the place of what would have come after the last store. */
class Killed extends Error {}

/** Counts the stores that are made while it is watched, and ends them at one. */
class Stores {
  made = 0;
  /** The last one that is made. */
  last = Infinity;
  watched = false;

  get isLast(): boolean {
    return this.watched && this.made >= this.last;
  }

  next(): void {
    if (!this.watched) return;
    if (this.isLast) throw new Killed();
    this.made++;
  }
}

const stores = new Stores();

type Kernel = (...args: number[]) => number;

/** Every way in which the code stores anything in a lane, but into plain arrays of bytes. */
function watchStores(): () => void {
  const { prototype } = DataView;
  const names = ["setFloat64", "setUint32"] as const;
  const real = names.map((name) => prototype[name]);
  for (const [index, name] of names.entries()) {
    prototype[name] = function (this: DataView, ...args: [number, number, boolean?]) {
      stores.next();
      real[index]!.apply(this, args);
    };
  }
  const { Instance } = WebAssembly;
  WebAssembly.Instance = function (
    module: WebAssembly.Module,
    imports: WebAssembly.Imports,
  ) {
    const found = new Instance(module, imports).exports as Record<string, Kernel>;
    const exports = { ...found };
    for (const name of ["store", "add", "compareExchange"]) {
      exports[name] = (...args) => {
        stores.next();
        return found[name]!(...args);
      };
    }
    exports.copy = (to, from, length) => {
      // Many stores, of which the first half may be the last.
      if (stores.isLast) found.copy!(to!, from!, length! >>> 1);
      stores.next();
      return found.copy!(to!, from!, length!);
    };
    return { exports };
  } as unknown as typeof Instance;
  return () => {
    for (const [index, name] of names.entries()) prototype[name] = real[index]!;
    WebAssembly.Instance = Instance;
  };
}

function makeLane(maxLineBytes: number): Lane {
  const sizes = {
    capacityBytes: MIN_CAPACITY,
    landingBytes: landingBytesFor(maxLineBytes),
    handBytes: 32 * 1024,
    outputBytes: 0,
  };
  return { ...allocateLane(sizes), kept: true };
}

/** @param run see `LabelledLane` */
function makeOutlet(lane: Lane, sink: FakeSink, run?: string): Outlet {
  const board = Board.create();
  const nothing = () => {};
  return new Outlet({
    lanes: [{ label: "stdout", lane, run }],
    stays: false,
    board,
    slot: 0,
    thread: 1,
    sink,
    sinkEvents: {
      onSinkFailing: nothing,
      onSinkRecovered: nothing,
      onReopened: nothing,
      onSinkRejecting: nothing,
    },
    format: new RawFormat(),
    markers: true,
    whenFull: "overwrite",
    startTime: 1,
    onRoom: nothing,
    onFlushed: nothing,
  });
}

/** A run that reads and delivers until it is killed, or has nothing more to read. */
class Run {
  readonly sink: FakeSink;
  readBytes = 0;
  readonly #lane: Lane;
  readonly #random: Random;
  readonly #framer: LineFramer;
  readonly #outlet: Outlet;

  constructor(lane: Lane, seed: number, policy: FullPolicy, maxLineBytes: number) {
    this.#lane = lane;
    this.#random = new Random(seed);
    const answers = Array.from(
      { length: 50 },
      () => this.#random.oneOf([Infinity, 1000, 7000, 0]),
    );
    this.sink = new FakeSink({ answers });
    const producer = new RingProducer(lane, policy);
    const counters = new LaneCounters(lane);
    this.#framer = new LineFramer(lane, producer, counters, maxLineBytes, () => {});
    this.#outlet = makeOutlet(lane, this.sink);
  }

  /** As read(2) does, which can be killed where it comes to another page of memory. */
  #land(bytes: Uint8Array): void {
    const memory = new Uint8Array(this.#lane.memory.buffer);
    for (let from = 0; from < bytes.length;) {
      const at = this.#framer.landAt + from;
      const piece = bytes.subarray(from, from + PAGE_BYTES - at % PAGE_BYTES);
      stores.next();
      memory.set(piece, at);
      this.readBytes += piece.length;
      from += piece.length;
    }
  }

  toTheEnd(): void {
    for (let nowMs = 1; this.readBytes < INPUT.length; nowMs += 5) {
      if (this.#random.next() < 0.5) this.#read(nowMs);
      else this.#outlet.step(nowMs);
    }
  }

  #read(nowMs: number): void {
    if (this.#framer.blocked) {
      this.#framer.unblock(nowMs);
      return;
    }
    const rest = INPUT.subarray(this.readBytes);
    const most = Math.min(
      rest.length,
      this.#framer.room,
      this.#random.oneOf([100, 9000]),
    );
    const bytes = this.#random.between(1, most);
    this.#framer.expect(bytes);
    this.#land(rest.subarray(0, bytes));
    this.#framer.landed(bytes, nowMs * 1000, nowMs);
    this.#framer.tick(nowMs);
  }
}

/** Delivers all that is left in a lane. */
function recover(lane: Lane, maxLineBytes: number): FakeSink {
  const left = new LeftLane(lane, true);
  const { amount } = left;
  left.prepare();
  const sink = new FakeSink();
  const counters = new LaneCounters(lane);
  const outlet = makeOutlet(lane, sink, "an earlier run");
  if (!left.ended) {
    const producer = new RingProducer(lane, "block");
    const framer = new LineFramer(lane, producer, counters, maxLineBytes, () => {});
    framer.pushUnfinished();
    for (let nowMs = 0; framer.blocked; nowMs++) {
      outlet.step(nowMs);
      framer.unblock(nowMs);
      if (!framer.blocked) framer.pushUnfinished();
    }
    framer.close(1e12);
  }
  for (let nowMs = 1000; outlet.step(nowMs) !== "ended"; nowMs++) assert(nowMs < 1e5);
  const counts = counters.read(false);
  assertEquals([counts.linesRecovered, counts.bytesRecovered], [
    BigInt(amount.lines),
    BigInt(amount.bytes),
  ]);
  assertEquals([counts.linesBuffered, counts.bytesBuffered], [0n, 0n]);
  return sink;
}

const MARKER = /^spillway: \d+ lines? \((\d+) bytes\) overwritten between .*\n/;

/** The input with nothing where a marker says so; and how far into the input it comes. */
function follow(output: string): number {
  let at = 0;
  for (let from = 0; from < output.length;) {
    const marker = MARKER.exec(output.slice(from, from + 200));
    if (marker !== null) {
      at += Number(marker[1]);
      from += marker[0].length;
      continue;
    }
    const newline = output.indexOf("\n", from);
    const end = newline < 0 ? output.length : newline + 1;
    const text = output.slice(from, end);
    const expected = TEXT.slice(at, at + text.length);
    if (text !== expected) assertEquals(text, expected, `from ${at} on`);
    at += text.length;
    from = end;
  }
  return at;
}

/** What both have written: the second begins where the first ended, or a write earlier. */
function join(first: FakeSink, second: FakeSink): string {
  const last = first.taken.at(-1) ?? new Uint8Array();
  const before = first.text.slice(0, first.text.length - last.length);
  const lastText = new TextDecoder("latin1").decode(last);
  return before + (second.text.startsWith(lastText) ? "" : lastText) + second.text;
}

for (const policy of ["overwrite", "block"] as const) {
  for (const maxLineBytes of MAX_LINE_BYTES) {
    const what = `${policy}, lines of at most ${maxLineBytes} bytes`;
    Deno.test(`${what}: killed after any store, a lane holds what was not delivered`, () => {
      const unwatch = watchStores();
      try {
        stores.last = Infinity;
        const whole = killed(maxLineBytes, policy);
        assertEquals(whole.readBytes, INPUT.length);
        for (let last = 0, total = stores.made; last < total; last++) {
          stores.last = last;
          killed(maxLineBytes, policy);
        }
      } finally {
        stores.watched = false;
        unwatch();
      }
    });
  }
}

/** One run that ends after `stores.last` stores, and one that recovers it. */
function killed(maxLineBytes: number, policy: FullPolicy): Run {
  const lane = makeLane(maxLineBytes);
  stores.watched = false;
  const run = new Run(lane, SEED, policy, maxLineBytes);
  stores.made = 0;
  stores.watched = true;
  try {
    run.toTheEnd();
  } catch (error) {
    if (!(error instanceof Killed)) throw error;
  }
  stores.watched = false;
  try {
    const output = join(run.sink, recover(lane, maxLineBytes));
    assertEquals(follow(output), run.readBytes, "everything that was read");
  } catch (error) {
    throw new Error(`killed after ${stores.made} stores`, { cause: error });
  }
  return run;
}
