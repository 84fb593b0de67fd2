import { assert, assertEquals } from "@std/assert";
import { SinkRejection, TemporaryError } from "../../src/errors.ts";
import type { Outgoing } from "../../src/formats/format.ts";
import { Delivery } from "../../src/output/delivery.ts";
import { Refused } from "../../src/output/refused.ts";
import { ARRIVED, type Sink, type Verdict } from "../../src/output/sink.ts";
import { Wait } from "../../src/output/wait.ts";
import { Board } from "../../src/threads/board.ts";
import { newCounters } from "../lane/small_lane.ts";
import { pump } from "./pump.ts";

/** Takes a line at a write, and gives the verdict that the test wants, when it wants. */
class KeepingSink implements Sink {
  readonly custody = this;
  readonly verdicts: Verdict[] = [];
  /** What the next attempts to tend do. */
  readonly tending: (() => void)[] = [];
  kept = 0;

  write(piece: Outgoing, from: number): number {
    this.kept++;
    return piece.recordEnd(from) - from;
  }

  takeVerdict(): Verdict | undefined {
    const verdict = this.verdicts.shift();
    if (verdict !== undefined) this.kept--;
    return verdict;
  }

  get settled(): boolean {
    return this.kept === 0;
  }

  tend(wait: Wait): void {
    this.tending.shift()?.();
    wait.until(performance.now() + 1);
  }

  finish(): boolean {
    return true;
  }
}

function linesOf(text: string): Outgoing {
  const bytes = new TextEncoder().encode(text);
  return {
    label: "stdout",
    run: "a run",
    firstByte: 0,
    bytes,
    length: bytes.length,
    address: 0,
    startsInside: false,
    endsInside: false,
    recordEnd: (at) => bytes.indexOf(10, at) + 1 || bytes.length,
    recordStart: (at) => bytes.subarray(0, at).lastIndexOf(10) + 1,
    progress: (written) => ({
      bytes: written,
      lines: bytes.subarray(0, written).filter((byte) => byte === 10).length,
    }),
  };
}

class TestDelivery {
  readonly #board = Board.create();
  readonly counters = [newCounters(), newCounters()] as const;
  readonly origins = [
    { counters: this.counters[0], refused: new Refused() },
    { counters: this.counters[1], refused: new Refused() },
  ] as const;
  readonly events: string[] = [];
  readonly delivery: Delivery;

  constructor(sink: Sink) {
    this.delivery = new Delivery(sink, {
      board: this.#board,
      words: this.#board.route(0),
      steps: this.#board.steps(1),
      events: {
        onSinkFailing: (message) => this.events.push(`failing: ${message}`),
        onSinkRecovered: () => this.events.push("recovered"),
        onReopened: () => this.events.push("reopened"),
        onSinkRejecting: (message) => this.events.push(`rejecting: ${message}`),
      },
    });
  }

  send(text: string, input: 0 | 1 = 0): void {
    this.sendPiece(linesOf(text), input);
  }

  sendPiece(piece: Outgoing, input: 0 | 1 = 0): void {
    this.delivery.begin(piece, this.origins[input], 0);
    pump((nowMs, wait) => this.delivery.advance(nowMs, wait));
  }

  /** When the pause after a failure is over. */
  tend(): void {
    this.delivery.tend(performance.now() + 1000, new Wait());
  }

  /** Lines out and rejected, then bytes of both. */
  counts(input: 0 | 1 = 0): number[] {
    const counts = this.counters[input].read(false);
    const { linesOut, linesRejected, bytesOut, bytesRejected } = counts;
    return [linesOut, linesRejected, bytesOut, bytesRejected].map(Number);
  }
}

Deno.test("what a sink keeps counts when it has arrived, each input's for itself", () => {
  const sink = new KeepingSink();
  const test = new TestDelivery(sink);
  test.send("one\ntwo\n", 0);
  test.send("three\n", 1);
  assertEquals([test.counts(0), test.counts(1)], [[0, 0, 0, 0], [0, 0, 0, 0]]);
  sink.verdicts.push(ARRIVED, { rejected: "no twos" });
  test.tend();
  assertEquals([test.counts(0), test.counts(1)], [[1, 1, 4, 4], [0, 0, 0, 0]]);
  sink.verdicts.push(ARRIVED);
  test.tend();
  assertEquals(test.counts(1), [1, 0, 6, 0]);
  assertEquals(test.events, ["rejecting: no twos"]);
  assert(sink.settled);
});

Deno.test("a sink that keeps things has recovered when something has arrived", () => {
  const sink = new KeepingSink();
  const test = new TestDelivery(sink);
  test.send("one\n");
  sink.tending.push(() => {
    throw new TemporaryError("it broke");
  });
  test.tend();
  assertEquals(test.events, ["failing: it broke"]);
  test.send("two\n");
  assertEquals(test.events, ["failing: it broke"], "taking is not yet arriving");
  sink.verdicts.push(ARRIVED);
  test.tend();
  assertEquals(test.events, ["failing: it broke", "recovered"]);
});

Deno.test("the end waits for what is kept, however often that fails", () => {
  const sink = new KeepingSink();
  const test = new TestDelivery(sink);
  test.send("one\ntwo\n");
  sink.tending.push(
    () => {
      throw new TemporaryError("it broke");
    },
    () => sink.verdicts.push(ARRIVED),
    () => sink.verdicts.push(ARRIVED),
  );
  pump((nowMs, wait) => test.delivery.finish(nowMs, wait));
  assertEquals(test.counts(), [2, 0, 8, 0]);
});

Deno.test("a line that ends without a byte more arrives with the bytes before it", () => {
  const sink = new KeepingSink();
  const test = new TestDelivery(sink);
  test.send("no newline");
  const end: Outgoing = {
    ...linesOf(""),
    recordEnd: () => 0,
    recordStart: () => 0,
    progress: () => ({ bytes: 0, lines: 1 }),
  };
  test.sendPiece(end);
  assertEquals(test.counts(), [0, 0, 0, 0]);
  sink.verdicts.push(ARRIVED);
  test.tend();
  assertEquals(test.counts(), [1, 0, 10, 0]);
});

Deno.test("the rest of a line that was refused is refused, and no other line for it", () => {
  const sink = new KeepingSink();
  const test = new TestDelivery(sink);
  test.send("begun, ");
  test.send("still on, ");
  sink.verdicts.push({ rejected: "too long" }, ARRIVED);
  test.send("over\n");
  assertEquals([test.counts(), sink.kept], [[0, 1, 10, 12], 0], "its rest was to come");
  test.send("begun, ");
  test.send("over\n");
  sink.verdicts.push({ rejected: "too long" }, ARRIVED);
  test.send("whole\n");
  assertEquals([test.counts(), sink.kept], [[1, 1, 15, 19], 1], "its rest had passed");
});

Deno.test("what is refused at once is counted, and the rest goes on", () => {
  const taken: string[] = [];
  const sink: Sink = {
    write(piece, from) {
      const end = piece.recordEnd(from);
      const line = new TextDecoder().decode(piece.bytes.subarray(from, end));
      if (line.length > 5) {
        throw new SinkRejection(`${line.trim()} is too long`, end - from);
      }
      taken.push(line);
      return end - from;
    },
    finish: () => true,
  };
  const test = new TestDelivery(sink);
  test.send("one\nthirteen\nfourteen\ntwo\n");
  assertEquals(taken, ["one\n", "two\n"]);
  assertEquals(test.counts(), [2, 2, 8, 18]);
  assertEquals(test.events, ["rejecting: thirteen is too long"], "said once");
});
