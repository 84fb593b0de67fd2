import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { TemporaryError } from "../../src/errors.ts";
import type { Gap } from "../../src/formats/format.ts";
import { gapSentence } from "../../src/formats/gap_sentence.ts";
import type { Outlet } from "../../src/output/outlet.ts";
import type { Wait } from "../../src/output/wait.ts";
import { Board } from "../../src/threads/board.ts";
import { ENDS_INSIDE, STARTS_INSIDE } from "../../src/lane/layout.ts";
import type { FullPolicy } from "../../src/lane/ring_producer.ts";
import type { Counts } from "../../src/lane/counters.ts";
import { LaneCounters } from "../../src/lane/lane_counters.ts";
import { encode, RingPair } from "../lane/ring_pair.ts";
import { pump } from "./pump.ts";
import { FakeSink, type FakeSinkSettings } from "./fake_sink.ts";
import { plainOutlet } from "./plain_outlet.ts";

const START_TIME = Date.UTC(2026, 10, 22, 10) * 1000;

interface FlushSettings extends FakeSinkSettings {
  readonly labels?: readonly string[];
  readonly markers?: boolean;
  readonly policy?: FullPolicy;
}

/** An outlet over rings whose producers the test has in its hand. */
class TestFlush {
  readonly rings: readonly RingPair[];
  readonly board: Board;
  readonly sink: FakeSink;
  rooms = 0;
  readonly #outlet: Outlet;

  constructor(settings: FlushSettings = {}) {
    const { labels = ["stdout"], markers = true, policy = "overwrite" } = settings;
    this.rings = labels.map(() => new RingPair({ policy }));
    this.board = Board.create();
    this.sink = new FakeSink(settings);
    this.#outlet = plainOutlet({
      lanes: labels.map((label, index) => ({ label, lane: this.rings[index]!.ring })),
      board: this.board,
      sink: this.sink,
      markers,
      whenFull: policy,
      startTime: START_TIME,
      onRoom: () => this.rooms++,
    });
  }

  get ring(): RingPair {
    return this.rings[0]!;
  }

  counts(index: number, dropNewest = false): Counts {
    return new LaneCounters(this.rings[index]!.ring).read(dropNewest);
  }

  /** Closes what is open, flushes everything and returns the output. */
  async run(): Promise<string> {
    for (const { producer } of this.rings) producer.close(0, 0, START_TIME);
    return await this.#flush();
  }

  /** Flushes rings that are not closed: to the end of what a reader that died has left. */
  async runWithoutReader(): Promise<string> {
    this.board.declareReaderGone();
    return await this.#flush();
  }

  async #flush(): Promise<string> {
    const outlet = this.#outlet;
    const step = (nowMs: number, wait: Wait) => {
      const stepped = outlet.step(nowMs);
      if (stepped === "more to do") wait.until(nowMs);
      return stepped === "ended";
    };
    await pump(step, outlet.wait);
    return this.sink.text;
  }
}

/** Numbered lines, each with its newline 100 bytes long. */
function numbered(first: number, count: number): string {
  let text = "";
  for (let number = first; number < first + count; number++) {
    text += `${number} `.padEnd(99, ".") + "\n";
  }
  return text;
}

/** Pushes numbered lines in frames of ten, each one millisecond after the other. */
function pushNumbered(ring: RingPair, first: number, count: number): void {
  for (let line = first; line < first + count; line += 10) {
    ring.pushText(numbered(line, 10), timeOf(line));
  }
}

function timeOf(line: number): number {
  return START_TIME + line * 1000;
}

function marker(
  gap: Omit<Gap, "reason" | "nextLine" | "nextByte">,
  reason: Gap["reason"] = "overwritten",
): string {
  return `${gapSentence({ ...gap, reason })}\n`;
}

Deno.test("what is in the ring is written as it came, and the sink finished", async () => {
  const test = new TestFlush();
  test.ring.pushText("one\ntwo\n");
  test.ring.pushText("three\n");
  assertEquals(await test.run(), "one\ntwo\nthree\n");
  assert(test.sink.finished);
  const { linesOut, bytesOut } = test.counts(0);
  assertEquals([linesOut, bytesOut], [3n, 14n]);
});

Deno.test("an input without a byte writes nothing, but finishes the sink", async () => {
  const test = new TestFlush();
  assertEquals(await test.run(), "");
  assertEquals(test.sink.writes, 0);
  assert(test.sink.finished);
});

Deno.test("the marker says what is missing, right before what follows", async () => {
  const test = new TestFlush();
  pushNumbered(test.ring, 0, 1000);
  const output = await test.run();
  const first = Number(output.split("\n")[1]!.split(" ")[0]);
  assert(first > 0);
  const gap = {
    lines: first,
    bytes: first * 100,
    from: START_TIME,
    to: timeOf(first),
  };
  assertEquals(output, marker(gap) + numbered(first, 1000 - first));
});

Deno.test("a gap while a batch is in hand comes after that batch", async () => {
  let writes = 0;
  const test: TestFlush = new TestFlush({
    onWrite: () => {
      if (writes++ === 0) pushNumbered(test.ring, 10, 2000);
    },
  });
  pushNumbered(test.ring, 0, 10);
  const output = await test.runWithoutReader();
  const lines = output.split("\n");
  const first = Number(lines[11]!.split(" ")[0]);
  const gap = {
    lines: first - 10,
    bytes: (first - 10) * 100,
    from: timeOf(0),
    to: timeOf(first),
  };
  assertEquals(output, numbered(0, 10) + marker(gap) + numbered(first, 2010 - first));
});

Deno.test("without markers the same lines come, and nothing in their place", async () => {
  const test = new TestFlush({ markers: false });
  pushNumbered(test.ring, 0, 1000);
  const output = await test.run();
  const first = Number(output.split(" ")[0]);
  assert(first > 0);
  assertEquals(output, numbered(first, 1000 - first));
});

Deno.test("a marker for what was dropped says so", async () => {
  const test = new TestFlush({ policy: "drop-newest" });
  let line = 0;
  const push = () => test.ring.pushText(numbered(line++, 1), timeOf(line)).outcome;
  while (push() === "stored");
  const dropped = line - 1;
  const output = await test.run();
  const gap = { lines: 1, bytes: 100, from: timeOf(dropped), to: START_TIME };
  assertEquals(output, numbered(0, dropped) + marker(gap, "dropped"));
});

Deno.test("a single empty line that is missing has a marker, too", async () => {
  const test = new TestFlush({ policy: "drop-newest" });
  let kept = 0;
  while (test.ring.pushText("\n", timeOf(kept)).outcome === "stored") kept++;
  const gap = { lines: 1, bytes: 1, from: timeOf(kept - 1), to: START_TIME };
  assertEquals(await test.run(), "\n".repeat(kept) + marker(gap, "dropped"));
});

Deno.test("markers are not counted as output", async () => {
  const test = new TestFlush();
  pushNumbered(test.ring, 0, 1000);
  const lines = (await test.run()).split("\n").length - 2;
  const { linesOut, bytesOut } = test.counts(0);
  assertEquals([linesOut, bytesOut], [BigInt(lines), BigInt(lines * 100)]);
});

Deno.test("the marker of a line that was cut starts a line of its own", async () => {
  const test = new TestFlush({ policy: "drop-newest" });
  const { ring } = test;
  ring.push(encode("begun, "), 0, ENDS_INSIDE, timeOf(1));
  ring.push(new Uint8Array(60_000).fill(120), 0, STARTS_INSIDE | ENDS_INSIDE, timeOf(2));
  ring.push(new Uint8Array(60_000), 0, STARTS_INSIDE | ENDS_INSIDE, timeOf(3));
  ring.push(encode("its end\n"), 1, STARTS_INSIDE, timeOf(4));
  ring.pushText("whole\n", timeOf(5));
  const output = await test.run();
  const gap = { lines: 1, bytes: 60_008, from: timeOf(2), to: timeOf(5) };
  const kept = `begun, ${"x".repeat(60_000)}\n`;
  assertEquals(output, `${kept}${marker(gap, "dropped")}whole\n`);
  const { linesDropped, bytesDropped } = test.counts(0, true);
  assertEquals([linesDropped, bytesDropped], [1n, 8n]);
});

Deno.test("a last line without its newline that was dropped is a line that was", async () => {
  const test = new TestFlush({ policy: "drop-newest" });
  const { ring } = test;
  ring.pushText(`${"x".repeat(60_000)}\n`, timeOf(0));
  const piece = ring.push(new Uint8Array(60_000), 0, ENDS_INSIDE, timeOf(1));
  assertEquals(piece.outcome, "dropped");
  ring.producer.close(1, STARTS_INSIDE, timeOf(2));
  await test.runWithoutReader();
  const { linesDropped, linesOut } = test.counts(0, true);
  assertEquals([linesDropped, linesOut], [1n, 1n]);
});

Deno.test("lines of two inputs come in the order of their arrival", async () => {
  const test = new TestFlush({ labels: ["stdout", "stderr"] });
  const [out, err] = test.rings as [RingPair, RingPair];
  out.pushText("1\n", timeOf(1));
  err.pushText("2\n", timeOf(2));
  err.pushText("3\n", timeOf(3));
  out.pushText("4\n", timeOf(4));
  out.pushText("5\n", timeOf(5));
  err.pushText("6\n", timeOf(6));
  assertEquals(await test.run(), "1\n2\n3\n4\n5\n6\n");
});

Deno.test("an unfinished line of one input is not continued by another", async () => {
  const test = new TestFlush({ labels: ["stdout", "stderr"] });
  const [out, err] = test.rings as [RingPair, RingPair];
  out.push(encode("prompt> "), 0, ENDS_INSIDE, timeOf(1));
  err.pushText("warning\n", timeOf(2));
  out.push(encode("answer\n"), 1, STARTS_INSIDE, timeOf(3));
  assertEquals(await test.run(), "prompt> \nwarning\nanswer\n");
  assertEquals(test.counts(0).bytesOut, 15n);
  assertEquals(test.counts(1).bytesOut, 8n);
});

Deno.test("any frames of three inputs come out in order, each input unchanged", async () => {
  const frame = fc.record({ input: fc.nat(2), lines: fc.integer({ min: 1, max: 5 }) });
  const frames = fc.array(frame, { maxLength: 60, size: "max" });
  const answers = fc.array(fc.nat(40), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(frames, answers, async (frames, answers) => {
      const test = new TestFlush({ labels: ["a", "b", "c"], answers });
      let expected = "";
      for (const [index, { input, lines }] of frames.entries()) {
        const text = `${"abc"[input]}${index}\n`.repeat(lines);
        test.rings[input]!.pushText(text, timeOf(index));
        expected += text;
      }
      assertEquals(await test.run(), expected);
    }),
    { numRuns: 40 },
  );
});

Deno.test("any stalls of the sink: lines in order, and markers that add up", async () => {
  const pushes = fc.array(fc.integer({ min: 0, max: 150 }), {
    minLength: 1,
    maxLength: 30,
    size: "max",
  });
  const answers = fc.array(fc.nat(30_000), { maxLength: 30, size: "max" });
  await fc.assert(
    fc.asyncProperty(pushes, answers, async (pushes, answers) => {
      let [line, write] = [0, 0];
      let overwritten = 0;
      const push = (tens: number) => {
        for (const end = line + tens * 10; line < end; line += 10) {
          overwritten += test.ring.pushText(numbered(line, 10), timeOf(line))
            .overwrittenLines;
        }
      };
      const test: TestFlush = new TestFlush({
        answers,
        onWrite: () => push(pushes[++write] ?? 0),
      });
      push(pushes[0]! + 1);
      const output = await test.runWithoutReader();
      assertEquals(markedLines(output, line), overwritten);
    }),
    { numRuns: 40 },
  );
});

/** Checks numbered lines and the markers between them; returns what those say. */
function markedLines(output: string, lines: number): number {
  let [next, marked] = [0, 0];
  for (const line of output.split("\n").slice(0, -1)) {
    const gap = /^spillway: (\d+) lines? \((\d+) bytes\) overwritten/.exec(line);
    if (gap === null) {
      assertEquals(`${line}\n`, numbered(next++, 1));
    } else {
      assertEquals(Number(gap[2]), Number(gap[1]) * 100);
      next += Number(gap[1]);
      marked += Number(gap[1]);
    }
  }
  assertEquals(next, lines);
  return marked;
}

Deno.test("a producer that waits for room hears of it", async () => {
  const test = new TestFlush({ policy: "block" });
  let line = 0;
  while (test.ring.pushText(numbered(line, 1)).outcome === "stored") line++;
  test.ring.producer.requestRoom();
  await test.run();
  assertEquals(test.rooms, 1);
});

Deno.test("a sink that fails gets what it had refused, and nothing twice", async () => {
  const answers = [150, new TemporaryError("full"), 0, 33];
  const test = new TestFlush({ answers });
  pushNumbered(test.ring, 0, 100);
  assertEquals(await test.run(), numbered(0, 100));
});

Deno.test("when the reader is gone, what it has left is written, and that is the end", async () => {
  const test = new TestFlush();
  test.ring.pushText("left behind\n");
  assertEquals(await test.runWithoutReader(), "left behind\n");
  assert(test.sink.finished);
});

Deno.test("what the reader pushes with its last breath is written too", async () => {
  const test = new TestFlush();
  let breaths = 0;
  Object.defineProperty(test.board, "readerGone", {
    get: () => {
      if (breaths++ === 0) test.ring.pushText("last words\n");
      return true;
    },
  });
  assertEquals(await test.runWithoutReader(), "last words\n");
});

Deno.test("the output is reopened between two lines, not within one", async () => {
  const pieces = [["e in two\n", STARTS_INSIDE], ["another\n", 0]] as const;
  const reopenedAtWrite: number[] = [];
  const test: TestFlush = new TestFlush({
    onWrite: () => {
      if (reopenedAtWrite.length === 0) test.board.requestReopen();
      const [text, flags] = pieces[reopenedAtWrite.length] ?? ["", 0];
      if (text !== "") test.ring.push(encode(text), 1, flags, timeOf(1));
      reopenedAtWrite.push(test.sink.reopened);
    },
  });
  test.ring.push(encode("on"), 0, ENDS_INSIDE, timeOf(0));
  assertEquals(await test.runWithoutReader(), "one in two\nanother\n");
  assertEquals(reopenedAtWrite, [0, 0, 1]);
});
