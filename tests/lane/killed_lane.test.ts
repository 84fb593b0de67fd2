/**
 * A process that is killed after any of the stores that it makes: what it had read and
 * not delivered is in the lane. The real reader's side and the real outlet, one after the
 * other in one thread, in an order that comes from a seed.
 */

import { assertEquals } from "@std/assert";
import { landingBytesFor } from "../../src/input/landing.ts";
import { LineFramer } from "../../src/input/line_framer.ts";
import { allocateLane, type Lane, MIN_CAPACITY } from "../../src/lane/lane.ts";
import { LaneCounters } from "../../src/lane/lane_counters.ts";
import { type FullPolicy, RingProducer } from "../../src/lane/ring_producer.ts";
import type { Outlet } from "../../src/output/outlet.ts";
import { Random } from "../faults/random.ts";
import { FakeSink } from "../output/fake_sink.ts";
import { follow, keptOutlet, recover } from "./recovered_lane.ts";
import { StoreWatch } from "./store_watch.ts";

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

  next(): void {
    if (!this.watched) return;
    if (this.made >= this.last) throw new Killed();
    this.made++;
  }
}

const stores = new Stores();

function makeLane(maxLineBytes: number): Lane {
  const sizes = {
    capacityBytes: MIN_CAPACITY,
    landingBytes: landingBytesFor(maxLineBytes),
    handBytes: 32 * 1024,
    outputBytes: 0,
  };
  return { ...allocateLane(sizes), kept: true };
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
    this.#outlet = keptOutlet(lane, this.sink);
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
      const watch = new StoreWatch();
      watch.onStore = () => stores.next();
      const uninstall = watch.install();
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
        uninstall();
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
    const sink = new FakeSink();
    recover(lane, sink, maxLineBytes);
    const { inputAt } = follow(TEXT, join(run.sink, sink));
    assertEquals(inputAt, run.readBytes, "everything that was read");
  } catch (error) {
    throw new Error(`killed after ${stores.made} stores`, { cause: error });
  }
  return run;
}
