/**
 * A whole run in one thread: the real framer, ring, flush loop and delivery between
 * an input, a clock and a sink that a seed decides. While the flusher writes or
 * sleeps the reader gets its turn, as two threads might.
 */

import { assert, assertEquals } from "@std/assert";
import { SinkFailure } from "../../src/errors.ts";
import type { Outgoing } from "../../src/formats/format.ts";
import { RawFormat } from "../../src/formats/raw.ts";
import { landingBytesFor, LineFramer } from "../../src/input/line_framer.ts";
import { Delivery } from "../../src/output/delivery.ts";
import { Flusher } from "../../src/output/flusher.ts";
import type { Sink } from "../../src/output/sink.ts";
import { Doorbell } from "../../src/platform/doorbell.ts";
import { Board } from "../../src/report/board.ts";
import { MIN_CAPACITY } from "../../src/ring/ring_memory.ts";
import type { FullPolicy } from "../../src/ring/ring_producer.ts";
import { Random } from "../faults/random.ts";
import { RingPair } from "../ring/ring_pair.ts";
import { readBeside } from "./told_output.ts";

const START_MS = Date.UTC(2026, 10, 22);
/** A run that has more turns than this does not end. */
const MAX_TURNS = 100_000;

/** Thrown out of a write: the deadline has passed, and this is where it all stands. */
class DeadlinePassed extends Error {}

function inputOf(random: Random): string {
  const lines: string[] = [];
  const longest = random.oneOf([5, 100, 3000, 20_000]);
  for (let bytes = random.between(0, 600_000); bytes > 0;) {
    const length = random.between(0, longest);
    lines.push(String.fromCharCode(65 + lines.length % 26).repeat(length));
    bytes -= length + 1;
  }
  return lines.join("\n") + (random.next() < 0.5 ? "\n" : "");
}

class SimulatedRun implements Sink {
  readonly name = "the simulated sink";
  readonly #random: Random;
  readonly #board = Board.create(1);
  readonly #policy: FullPolicy;
  readonly #ring: RingPair;
  readonly #framer: LineFramer;
  readonly #input: string;
  readonly #bytes: Uint8Array;
  readonly #output: string[] = [];
  /** The signal comes after so many turns, the deadline after so many writes. */
  readonly #stopAfterTurns: number;
  readonly #deadlineAfterWrites: number;
  readonly #sinkSpeed: number;
  #turns = 0;
  #writes = 0;
  #read = 0;
  #ended = false;
  #failing = false;
  #nowMs = START_MS;

  constructor(seed: number) {
    const random = this.#random = new Random(seed);
    this.#input = inputOf(random);
    this.#bytes = new TextEncoder().encode(this.#input);
    this.#policy = random.oneOf(["overwrite", "drop-newest", "block"]);
    const maxLineBytes = random.oneOf([64, 1000, 16_384]);
    this.#stopAfterTurns = random.next() < 0.3 ? random.between(0, 100) : Infinity;
    this.#deadlineAfterWrites = random.next() < 0.3 ? random.between(0, 50) : Infinity;
    this.#sinkSpeed = random.oneOf([100, 5000, 300_000]);
    this.#ring = new RingPair({
      policy: this.#policy,
      capacityBytes: MIN_CAPACITY + random.oneOf([0, 1, 4096]),
      landingBytes: landingBytesFor(maxLineBytes),
      handBytes: random.oneOf([Math.max(4096, maxLineBytes + 1), 65_536]),
    });
    const { ring, producer } = this.#ring;
    const counters = this.#board.input(0);
    this.#framer = new LineFramer(ring, producer, counters, maxLineBytes, () => {});
  }

  async run(): Promise<void> {
    const flusher = new Flusher({
      labels: ["stdout"],
      rings: [this.#ring.ring],
      board: this.#board,
      doorbell: Doorbell.attach(new SharedArrayBuffer(8), {
        load: Atomics.load,
        store: Atomics.store,
        add: Atomics.add,
        notify: Atomics.notify,
        wait: () => this.#readerTurn(),
      }),
      delivery: new Delivery(this, this.#board, {
        onSinkFailing: () => {},
        onSinkRecovered: () => {},
        onSinkRejecting: () => {},
      }),
      format: new RawFormat(),
      markers: true,
      gapReason: this.#policy === "drop-newest" ? "dropped" : "overwritten",
      startTime: START_MS * 1000,
      onRoom: () => this.#readerTurn(),
    });
    let cut = false;
    try {
      await flusher.run();
    } catch (error) {
      if (!(error instanceof DeadlinePassed)) throw error;
      cut = true;
    }
    this.#check(cut);
  }

  /** What one return of poll(2) may lead to. */
  #readerTurn(): void {
    assert(this.#turns++ < MAX_TURNS, "the run does not end");
    if (this.#ended) return;
    this.#nowMs += this.#random.oneOf([0, 0, 1, 11, 1001]);
    if (this.#framer.blocked) this.#framer.unblock();
    const stopped = this.#turns > this.#stopAfterTurns;
    if (!this.#framer.blocked) {
      if (this.#read === this.#bytes.length || stopped) return this.#finish();
      const rest = this.#bytes.length - this.#read;
      const wanted = this.#random.oneOf([1, 100, 4096, 65_536, 262_144]);
      const length = Math.min(rest, wanted, this.#framer.room);
      const { memory } = this.#ring.ring;
      const chunk = this.#bytes.subarray(this.#read, this.#read + length);
      new Uint8Array(memory.buffer).set(chunk, this.#framer.landAt);
      this.#read += length;
      if (length > 0) this.#framer.landed(length, this.#nowMs * 1000, this.#nowMs);
    }
    this.#framer.tick(this.#nowMs);
  }

  #finish(): void {
    this.#framer.pushUnfinished();
    if (this.#framer.blocked) return;
    this.#framer.close(this.#nowMs * 1000);
    this.#ended = true;
  }

  write(piece: Outgoing, from: number): number | Promise<number> {
    for (let turns = this.#random.between(0, 3); turns > 0; turns--) this.#readerTurn();
    if (this.#writes++ >= this.#deadlineAfterWrites) throw new DeadlinePassed();
    if (this.#random.between(1, 20) === 1) {
      this.#failing = true;
      this.#board.requestReopen();
      throw new SinkFailure("the simulated disk is full");
    }
    const length = this.#random.between(0, this.#sinkSpeed);
    const taken = piece.bytes.slice(from, from + length);
    this.#output.push(new TextDecoder().decode(taken));
    return this.#random.between(1, 4) === 1
      ? Promise.resolve(taken.length)
      : taken.length;
  }

  reopen(): void {
    // Asked to once more, the delivery does not pause before it tries again.
    if (this.#failing) this.#board.requestReopen();
    this.#failing = false;
  }

  finish(): void {}

  #check(cut: boolean): void {
    const input = this.#input.slice(0, this.#read);
    const counts = this.#board.input(0).read(this.#policy === "drop-newest");
    const lostBytes = Number(counts.bytesOverwritten + counts.bytesDropped);
    const lostLines = Number(counts.linesOverwritten + counts.linesDropped);
    assertEquals(Number(counts.bytesIn), this.#read);
    assert(counts.bytesBuffered >= 0n && counts.linesBuffered >= 0n);
    if (this.#policy === "block") assertEquals(lostBytes, 0);
    const output = this.#output.join("");
    if (cut) {
      // A marker may be cut, too; what came out before it is told.
      const whole = output.replace(
        /\n?spillway: [^\n]*$|\n?s(p(i(l(l(w(a(y(:)?)?)?)?)?)?)?)?$/,
        "",
      );
      assert(readBeside(input, whole).bytes <= Number(counts.bytesOut));
      return;
    }
    assertEquals(counts.bytesBuffered, 0n);
    assertEquals(counts.linesBuffered, 0n);
    const told = readBeside(input, output);
    assertEquals(told.bytes, Number(counts.bytesOut));
    assertEquals([told.missingLines, told.missingBytes], [lostLines, lostBytes]);
    assertEquals(told.inputAt, input.length);
  }
}

/** @throws Error that names the seed when anything is not as it must be. */
export async function simulate(seed: number): Promise<void> {
  try {
    await new SimulatedRun(seed).run();
  } catch (error) {
    throw new Error(`deno task simulate 1 ${seed}`, { cause: error });
  }
}
