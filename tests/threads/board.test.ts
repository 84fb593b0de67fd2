import { assert, assertEquals } from "@std/assert";
import { Board, MAX_ROUTES, MAX_THREADS, READER } from "../../src/threads/board.ts";

Deno.test("a new board asks for nothing", () => {
  const board = Board.create();
  assert(!board.stopRequested && !board.readerGone);
  assertEquals(board.reopenRequests, 0);
  for (const index of [0, MAX_ROUTES - 1]) {
    const route = board.route(index);
    assertEquals([route.writingSince, route.retries, route.gone], [undefined, 0, false]);
  }
});

Deno.test("routes do not touch each other, nor the states", () => {
  const board = Board.create();
  const routes = [0, 1, 2, MAX_ROUTES - 1].map((index) => board.route(index));
  for (const [index, route] of routes.entries()) {
    route.writingSince = 1000 + index;
    route.failingSince = 2000 + index;
    for (let retry = 0; retry < index; retry++) route.countRetry();
  }
  routes[1]!.declareGone();
  for (const [index, route] of routes.entries()) {
    const { writingSince, failingSince, retries, gone } = route;
    assertEquals(
      [writingSince, failingSince, retries, gone],
      [1000 + index, 2000 + index, index, index === 1],
    );
  }
  assert(!board.stopRequested && !board.readerGone && board.announceLoss());
});

Deno.test("what one thread says, another that is attached reads", () => {
  const board = Board.create();
  const other = Board.attach(board.memory);
  board.requestStop();
  board.declareReaderGone();
  board.requestReopen();
  board.requestReopen();
  board.route(0).writingSince = 1234567890123;
  assert(other.stopRequested && other.readerGone);
  assertEquals(other.reopenRequests, 2);
  assertEquals(other.route(0).writingSince, 1234567890123);
  assertEquals(other.route(0).takesNothingSince, 1234567890123);
  other.route(0).writingSince = undefined;
  assertEquals(board.route(0).writingSince, undefined);
});

Deno.test("a step of any thread is one until it ends, also after a halt", () => {
  const board = Board.create();
  for (const thread of [READER, 1, MAX_THREADS - 1]) {
    const steps = board.steps(thread);
    steps.begin();
    assert(board.stepping);
    steps.end();
    assert(!board.stepping);
  }
  const steps = board.steps(READER);
  steps.begin();
  board.halt();
  assert(board.stepping);
  steps.end();
  assert(!board.stepping);
});

Deno.test("a loss is announced once until it is acknowledged", () => {
  const board = Board.create();
  assert(board.announceLoss());
  assert(!board.announceLoss());
  board.acknowledgeLoss();
  assert(board.announceLoss());
});

Deno.test("a rest is ended once, by whoever comes first", () => {
  const board = Board.create();
  const other = Board.attach(board.memory);
  assert(!other.endRest());
  board.beginRest();
  assert(other.endRest());
  assert(!other.endRest() && !board.endRest());
});

Deno.test("an output that takes a little at a time has taken nothing since then only", () => {
  const output = Board.create().route(0);
  assertEquals(output.takesNothingSince, undefined);
  output.writingSince = 1000;
  assertEquals(output.takesNothingSince, 1000);
  output.takenAt = 3000;
  assertEquals(output.takesNothingSince, 3000);
  output.writingSince = 4000;
  assertEquals(output.takesNothingSince, 4000);
  output.writingSince = undefined;
  assertEquals(output.takesNothingSince, undefined);
});
