import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Board } from "../../src/threads/board.ts";
import type { Counts } from "../../src/lane/counts.ts";
import type { InputCounters } from "../../src/lane/input_counters.ts";

function sumOf(counts: Counts): [lines: bigint, bytes: bigint] {
  return [
    counts.linesOut + counts.linesOverwritten + counts.linesDropped +
    counts.linesRejected + counts.linesBuffered,
    counts.bytesOut + counts.bytesOverwritten + counts.bytesDropped +
    counts.bytesRejected + counts.bytesBuffered,
  ];
}

Deno.test("a new board has counted nothing and asks for nothing", () => {
  const board = Board.create(3);
  for (let index = 0; index < 3; index++) {
    const counts = Object.values(board.input(index).read(false));
    assert(counts.every((count) => count === 0n));
  }
  assert(!board.stopRequested && !board.readerGone);
  assertEquals(board.writingSince, undefined);
  assertEquals(board.reopenRequests, 0);
});

Deno.test("what came in is out, lost, or buffered, after any of these", () => {
  const amounts = fc.record({
    kind: fc.constantFrom("out", "overwritten", "dropped", "discarded"),
    bytes: fc.nat(2 ** 31),
    lines: fc.nat(1000),
  });
  fc.assert(
    fc.property(
      fc.array(amounts, { maxLength: 30 }),
      fc.boolean(),
      (steps, dropNewest) => {
        const counters = Board.create(1).input(0);
        let [bytes, lines, discardedBytes, discardedLines] = [0, 0, 0, 0];
        for (const step of steps) {
          counters.addIn(step.bytes + 10, step.lines + 1, false);
          bytes += step.bytes + 10;
          lines += step.lines + 1;
          if (step.kind === "out") counters.addOut(step.bytes, step.lines);
          if (step.kind === "overwritten") {
            counters.addOverwritten(
              step.bytes,
              step.lines,
            );
          }
          if (step.kind === "dropped") counters.addDropped(step.bytes, step.lines);
          if (step.kind === "discarded") {
            discardedBytes += step.bytes;
            discardedLines += step.lines;
            counters.setDiscarded(discardedBytes, discardedLines);
          }
        }
        const counts = counters.read(dropNewest);
        assertEquals(sumOf(counts), [BigInt(lines), BigInt(bytes)]);
        assertEquals([counts.linesIn, counts.bytesIn], [BigInt(lines), BigInt(bytes)]);
        assertEquals(counts.linesBuffered, BigInt(steps.length));
        assertEquals(counts.bytesBuffered, BigInt(10 * steps.length));
      },
    ),
  );
});

Deno.test("discarded pieces belong to the kind of loss that the policy has", () => {
  const counters = Board.create(1).input(0);
  counters.addIn(100, 10, false);
  counters.addOverwritten(5, 1);
  counters.addDropped(7, 2);
  counters.setDiscarded(20, 3);
  const overwrite = counters.read(false);
  assertEquals([overwrite.bytesOverwritten, overwrite.linesOverwritten], [25n, 4n]);
  assertEquals([overwrite.bytesDropped, overwrite.linesDropped], [7n, 2n]);
  const dropNewest = counters.read(true);
  assertEquals([dropNewest.bytesOverwritten, dropNewest.linesOverwritten], [5n, 1n]);
  assertEquals([dropNewest.bytesDropped, dropNewest.linesDropped], [27n, 5n]);
});

Deno.test("a line that has begun is in, once", () => {
  const counters = Board.create(1).input(0);
  counters.addIn(3, 0, true);
  assertEquals(counters.read(false).linesIn, 1n);
  counters.addIn(3, 0, true);
  assertEquals(counters.read(false).linesIn, 1n);
  counters.addIn(3, 2, true);
  assertEquals(counters.read(false).linesIn, 3n);
  counters.addIn(1, 1, false);
  assertEquals(counters.read(false).linesIn, 3n);
});

Deno.test("counters go on beyond 32 and 53 bits", () => {
  const counters = Board.create(1).input(0);
  const most = 2 ** 32 - 1;
  for (let step = 0; step < 100; step++) counters.addIn(most, most, false);
  assertEquals(counters.read(false).bytesIn, 100n * BigInt(most));
  const [bytes, lines] = [2 ** 53, 2 ** 53];
  counters.setDiscarded(bytes, lines);
  assertEquals(counters.read(false).bytesOverwritten, 2n ** 53n);
});

Deno.test("inputs do not touch each other, nor the states", () => {
  const board = Board.create(64);
  const inputs = Array.from({ length: 64 }, (_, index) => board.input(index));
  const fill = (counters: InputCounters, amount: number) => {
    counters.addIn(12 * amount, 12 * amount, true);
    counters.addOut(amount, amount);
    counters.addOverwritten(amount, amount);
    counters.addDropped(amount, amount);
    counters.setDiscarded(amount, amount);
  };
  for (const [index, input] of inputs.entries()) fill(input, index);
  for (const [index, input] of inputs.entries()) {
    const { bytesIn, bytesOut, bytesBuffered } = input.read(false);
    assertEquals(
      [bytesIn, bytesOut, bytesBuffered],
      [BigInt(12 * index), BigInt(index), BigInt(8 * index)],
    );
  }
  assert(!board.stopRequested && !board.readerGone && board.announceLoss());
  assertEquals(board.writingSince, undefined);
});

Deno.test("what one thread says, another that is attached reads", () => {
  const board = Board.create(1);
  const other = Board.attach(board.memory);
  board.requestStop();
  board.declareReaderGone();
  board.requestReopen();
  board.requestReopen();
  board.writingSince = 1234567890123;
  board.input(0).addIn(5, 1, false);
  assert(other.stopRequested && other.readerGone);
  assertEquals(other.reopenRequests, 2);
  assertEquals(other.writingSince, 1234567890123);
  assertEquals(other.takesNothingSince, 1234567890123);
  assertEquals(other.input(0).read(false).bytesIn, 5n);
  other.writingSince = undefined;
  assertEquals(board.writingSince, undefined);
});

Deno.test("a step of either thread is one until it ends, also after a halt", () => {
  const board = Board.create(1);
  for (const thread of ["reader", "flusher"] as const) {
    board.beginStep(thread);
    assert(board.stepping);
    board.endStep(thread);
    assert(!board.stepping);
  }
  board.beginStep("reader");
  board.halt();
  assert(board.stepping);
  board.endStep("reader");
  assert(!board.stepping);
});

Deno.test("a loss is announced once until it is acknowledged", () => {
  const board = Board.create(1);
  assert(board.announceLoss());
  assert(!board.announceLoss());
  board.acknowledgeLoss();
  assert(board.announceLoss());
});

Deno.test("a rest is ended once, by whoever comes first", () => {
  const board = Board.create(1);
  const other = Board.attach(board.memory);
  assert(!other.endRest());
  board.beginRest();
  assert(other.endRest());
  assert(!other.endRest() && !board.endRest());
});

Deno.test("an output that takes a little at a time has taken nothing since then only", () => {
  const board = Board.create(1);
  assertEquals(board.takesNothingSince, undefined);
  board.writingSince = 1000;
  assertEquals(board.takesNothingSince, 1000);
  board.takenAt = 3000;
  assertEquals(board.takesNothingSince, 3000);
  board.writingSince = 4000;
  assertEquals(board.takesNothingSince, 4000);
  board.writingSince = undefined;
  assertEquals(board.takesNothingSince, undefined);
});
