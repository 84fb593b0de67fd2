import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  PermanentError,
  SinkClosedError,
  SinkRejection,
  TemporaryError,
} from "../../src/errors.ts";
import type { Outgoing } from "../../src/formats/format.ts";
import { Delivery } from "../../src/output/delivery.ts";
import { Refused } from "../../src/output/refused.ts";
import { monotonicMs } from "../../src/system/clock.ts";
import { Board } from "../../src/threads/board.ts";
import { newCounters } from "../lane/small_lane.ts";
import { encode } from "../lane/ring_pair.ts";
import { pump } from "./pump.ts";
import { FakeSink, type FakeSinkSettings } from "./fake_sink.ts";

/** A delivery to a fake sink, and what it has said. */
class TestDelivery {
  readonly board = Board.create();
  readonly words = this.board.route(0);
  readonly counters = newCounters();
  readonly origin = { counters: this.counters, refused: new Refused() };
  readonly sink: FakeSink;
  readonly delivery: Delivery;
  readonly events: string[] = [];

  constructor(settings: FakeSinkSettings = {}) {
    this.sink = new FakeSink(settings);
    this.delivery = new Delivery(this.sink, {
      board: this.board,
      words: this.words,
      steps: this.board.steps(1),
      events: {
        onSinkFailing: (message) => this.events.push(`failing: ${message}`),
        onSinkRecovered: () => this.events.push("recovered"),
        onReopened: () => this.events.push("reopened"),
        onSinkRejecting: (message) => this.events.push(`rejecting: ${message}`),
      },
    });
  }

  send(text: string): Promise<void> | undefined {
    return this.sendPiece(linesOf(text));
  }

  sendPiece(piece: Outgoing): Promise<void> | undefined {
    this.delivery.begin(piece, this.origin, 0);
    return pump((nowMs, wait) => this.delivery.advance(nowMs, wait));
  }

  finish(): Promise<void> | undefined {
    return pump((nowMs, wait) => this.delivery.finish(nowMs, wait));
  }

  get out(): [lines: bigint, bytes: bigint] {
    const { linesOut, bytesOut } = this.counters.read(false);
    return [linesOut, bytesOut];
  }
}

/** Lines as an outgoing piece, all of it input. */
function linesOf(text: string): Outgoing {
  const bytes = encode(text);
  const linesIn = (part: Uint8Array) => part.filter((byte) => byte === 10).length;
  return {
    label: "stdout",
    run: "a run",
    firstByte: 0,
    bytes,
    length: bytes.length,
    address: 0,
    startsInside: false,
    endsInside: !text.endsWith("\n"),
    recordEnd: (at) => bytes.indexOf(10, at) + 1 || bytes.length,
    recordStart: (at) => bytes.subarray(0, at).lastIndexOf(10) + 1,
    progress: (written) => ({
      bytes: written,
      lines: linesIn(bytes.subarray(0, written)),
    }),
  };
}

Deno.test("short writes, and writes of nothing, neither lose nor repeat a byte", async () => {
  for (const asynchronous of [false, true]) {
    const test = new TestDelivery({ asynchronous, answers: [1, 0, 0, 3, 0, 2] });
    await test.send("one\ntwo\nthree\n");
    assertEquals(test.sink.text, "one\ntwo\nthree\n");
    assertEquals(test.out, [3n, 14n]);
    assertEquals(test.sink.writes, 7);
  }
});

Deno.test("what is taken is counted as soon as it is, lines when they are whole", () => {
  const seen: unknown[] = [];
  const test: TestDelivery = new TestDelivery({
    answers: [2, 2, 5],
    onWrite: () => seen.push(test.out),
  });
  test.send("one\ntwo\nthree\n");
  assertEquals(seen, [[0n, 0n], [0n, 2n], [1n, 4n], [2n, 9n]]);
  assertEquals(test.out, [3n, 14n]);
});

Deno.test("a sink that promises nothing again and again is asked again", async () => {
  const answers = Array.from({ length: 10_000 }, () => 0);
  const test = new TestDelivery({ asynchronous: true, answers });
  await test.send("patience\n");
  assertEquals(test.sink.text, "patience\n");
});

Deno.test("a sink that never promises is delivered to without a promise", () => {
  const test = new TestDelivery({ answers: [1, 2, 3] });
  assertEquals(test.send("no promise\n"), undefined);
});

Deno.test("after a failure it goes on where it was, and says so once", async () => {
  for (const asynchronous of [false, true]) {
    const full = new TemporaryError("the disk is full");
    const test = new TestDelivery({ asynchronous, answers: [5, full, full, 4] });
    await test.send("one\ntwo\nthree\n");
    assertEquals(test.sink.text, "one\ntwo\nthree\n");
    assertEquals(test.events, ["failing: the disk is full", "recovered"]);
    assertEquals(test.out, [3n, 14n]);
  }
});

Deno.test("each new failure is said again", () => {
  const answers = [new TemporaryError("first"), 2, new TemporaryError("second")];
  const test = new TestDelivery({ answers });
  test.send("line\n");
  assertEquals(test.events, [
    "failing: first",
    "recovered",
    "failing: second",
    "recovered",
  ]);
});

Deno.test("a sink that fails, waits for room and fails again has not recovered in between", () => {
  const full = new TemporaryError("full");
  const test = new TestDelivery({ answers: [full, 0, full] });
  test.send("line\n");
  assertEquals(test.events, ["failing: full", "recovered"]);
  assertEquals(test.sink.text, "line\n");
});

Deno.test("a sink that will never take anything ends the delivery", async () => {
  for (const error of [new SinkClosedError("closed"), new PermanentError("gone")]) {
    const test = new TestDelivery({ answers: [4, error] });
    assertThrows(() => test.send("one\ntwo\n"), Error, error.message);
    assertEquals(test.out, [1n, 4n]);
    assertEquals(test.events, []);
    const later = new TestDelivery({ asynchronous: true, answers: [4, error] });
    const refused = await Promise.resolve(later.send("one\ntwo\n")).catch((e) => e);
    assertEquals(refused, error);
    assertEquals(later.out, [1n, 4n]);
  }
});

Deno.test("an error that is no sink's is not swallowed", () => {
  const test = new TestDelivery({ answers: [new TypeError("a fault")] });
  assertThrows(() => test.send("line\n"), TypeError, "a fault");
});

Deno.test("the board says since when a piece is being written, and then no more", () => {
  const before = monotonicMs();
  let during: number | undefined;
  const test: TestDelivery = new TestDelivery({
    onWrite: () => during = test.words.writingSince,
  });
  test.send("line\n");
  assert(during !== undefined && during >= before && during <= monotonicMs());
  assertEquals(test.words.writingSince, undefined);
});

Deno.test("the board says it also while a promise is awaited", async () => {
  const test = new TestDelivery({ asynchronous: true });
  const pending = test.send("line\n");
  assert(test.words.writingSince !== undefined);
  await pending;
  assertEquals(test.words.writingSince, undefined);
});

Deno.test("from before a write until it is counted, the last report waits for it", async () => {
  for (const asynchronous of [false, true]) {
    const stepping: boolean[] = [];
    const look = () => void stepping.push(test.board.stepping);
    const answers = [1, new TemporaryError("full")];
    const test = new TestDelivery({ asynchronous, answers, onWrite: look });
    const piece = linesOf("one\n");
    const progress = (written: number) => {
      look();
      return piece.progress(written);
    };
    await test.sendPiece({ ...piece, progress });
    // A write and its count, a failure, the last write and its count.
    assertEquals(stepping, [true, true, true, true, true]);
    assert(!test.board.stepping);
  }
});

Deno.test("a piece without a byte may still end a line", () => {
  const test = new TestDelivery();
  const end = { ...linesOf(""), progress: () => ({ bytes: 0, lines: 1 }) };
  test.sendPiece(end);
  assertEquals(test.out, [1n, 0n]);
  assertEquals(test.sink.writes, 0);
});

Deno.test("reopens once for each time it was asked", () => {
  const test = new TestDelivery();
  test.delivery.reopenIfAsked();
  assertEquals(test.sink.reopened, 0);
  test.board.requestReopen();
  test.delivery.reopenIfAsked();
  test.delivery.reopenIfAsked();
  assertEquals(test.sink.reopened, 1);
  assertEquals(test.events, ["reopened"]);
});

Deno.test("a sink that fails is reopened before it is tried again, when that was asked", () => {
  const test: TestDelivery = new TestDelivery({
    answers: [new TemporaryError("the file was moved away")],
    onWrite: () => test.sink.writes === 1 && test.board.requestReopen(),
  });
  test.send("line\n");
  assertEquals(test.sink.reopened, 1);
  assertEquals(test.sink.text, "line\n");
});

Deno.test("finish is tried again after a failure, and the recovery is reported", async () => {
  for (const asynchronous of [false, true]) {
    const failure = new TemporaryError("cannot sync");
    const test = new TestDelivery({ asynchronous, finishAnswers: [failure, failure] });
    await test.finish();
    assert(test.sink.finished);
    assertEquals(test.events, ["failing: cannot sync", "recovered"]);
  }
});

Deno.test("finish gives up on a sink that never will", () => {
  const test = new TestDelivery({ finishAnswers: [new PermanentError("gone")] });
  assertThrows(() => test.finish(), PermanentError, "gone");
});

Deno.test("a sink that takes a part of a piece has taken nothing since then only", () => {
  const since: (number | undefined)[] = [];
  const test: TestDelivery = new TestDelivery({
    answers: [0, 3],
    onWrite: () => {
      since.push(test.words.takesNothingSince);
      // As if it had been long ago.
      test.words.writingSince = 1000;
    },
  });
  const before = monotonicMs();
  test.send("one\ntwo\n");
  assertEquals(since.length, 3);
  assertEquals(since[1], 1000);
  assert(since[2]! >= before);
});

Deno.test("the board says since when a sink fails, and how often it was tried again", () => {
  const failing: boolean[] = [];
  const failure = new TemporaryError("full");
  const test: TestDelivery = new TestDelivery({
    answers: [failure, failure, 4],
    onWrite: () => failing.push(test.words.failingSince !== undefined),
  });
  test.send("one\ntwo\n");
  assertEquals(failing, [false, true, true, false]);
  assertEquals(test.words.retries, 2);
  assertEquals(test.words.failingSince, undefined);
});

Deno.test("what is left of a line whose beginning was refused is refused with it", () => {
  const test = new TestDelivery({ answers: [4, new SinkRejection("too long", 6)] });
  // Two lines in pieces of records: the second goes on in the next piece.
  test.sendPiece(recordsOf(["one\n", "begun "], [1, 1]));
  test.sendPiece(recordsOf(["goes on ", "and ends\n", "two\n"], [0, 1, 2]));
  assertEquals(test.sink.text, "one\ntwo\n");
  const { linesOut, linesRejected, bytesOut, bytesRejected } = test.counters.read(false);
  assertEquals([linesOut, bytesOut], [2n, 8n]);
  assertEquals([linesRejected, bytesRejected], [1n, 23n]);
  assertEquals([test.origin.refused.lines, test.origin.refused.bytes], [1, 23]);
});

/** Records, and how many lines have ended after each of them. */
function recordsOf(records: readonly string[], lines: readonly number[]): Outgoing {
  const ends = records.map((_, index) => records.slice(0, index + 1).join("").length);
  const within = (bytes: number) => ends.filter((end) => end <= bytes).length;
  return {
    ...linesOf(records.join("")),
    endsInside: false,
    recordEnd: (at) => ends.find((end) => end > at) ?? 0,
    recordStart: (at) => ends.findLast((end) => end <= at) ?? 0,
    progress: (written) => ({
      bytes: ends[within(written) - 1] ?? 0,
      lines: lines[within(written) - 1] ?? 0,
    }),
  };
}

for (const bytes of [-1, 5]) {
  Deno.test(`a sink that says it took ${bytes} of 4 bytes is not believed`, () => {
    const test = new TestDelivery();
    test.sink.write = () => bytes;
    assertThrows(() => test.send("one\n"), Error, "a sink");
    assertEquals(test.out, [0n, 0n]);
  });
}
