import { assert, assertEquals, assertMatch, fail } from "@std/assert";
import { InputError } from "../../src/errors.ts";
import { createFifo } from "../../src/input/fifo.ts";
import { Pace } from "../../src/input/give_way.ts";
import { InputLoop, type Source } from "../../src/input/input_loop.ts";
import { ENDED, PipeSource, WOULD_BLOCK } from "../../src/input/pipe_source.ts";
import {
  type Readiness,
  ReadLoop,
  type ReadLoopContext,
  WAKE_UP,
} from "../../src/input/read_loop.ts";
import {
  close,
  O_NONBLOCK,
  O_WRONLY,
  open,
  write,
} from "../../src/system/descriptors.ts";
import { Epoll } from "../../src/system/epoll.ts";
import { ENOSPC, EPERM } from "../../src/system/errno.ts";
import { libc } from "../../src/system/libc.ts";
import { addressOf } from "../../src/system/memory.ts";
import { pipe } from "../../src/system/pipes.ts";
import { Board, READER } from "../../src/threads/board.ts";
import { inFolder } from "../end_to_end/run.ts";
import { encode } from "../lane/ring_pair.ts";
import { FramedInput } from "./framed_input.ts";

/** A pipe that answers reads with what a test wants. */
class ToldSource implements Source {
  readonly isOpen = true;
  readonly isNamed = false;
  readonly readableBytes = 0;
  readonly name = "the told input";
  readonly needsLooks = false;
  readonly leaves = false;
  readonly unpollable = false;
  readonly replaced = false;
  readonly pipeBytes = 64 * 1024;
  /** What the next reads return; then there is nothing more at this time. */
  answers: (number | Error)[] = [];
  pendingBytes = 0;

  constructor(readonly descriptor: number) {}

  read(): number {
    const answer = this.answers.shift() ?? WOULD_BLOCK;
    if (typeof answer !== "number") throw answer;
    return answer;
  }

  probe(): number {
    return this.read();
  }

  awaitNextWriter(): boolean {
    return true;
  }

  look(): void {}
  closed = false;

  close(): void {
    this.closed = true;
  }
}

/** What the reader waits in, and what is ready there when a test says so. */
class ToldReadiness implements Readiness {
  readonly watched = new Map<number, number>();
  tokens: number[] = [];

  add(descriptor: number, _events: number, token: number): number {
    if (descriptor === REGULAR_FILE) return -EPERM;
    if (descriptor === ONE_TOO_MANY) return -ENOSPC;
    this.watched.set(descriptor, token);
    return 0;
  }

  forget(descriptor: number): void {
    this.watched.delete(descriptor);
  }

  get ready(): number {
    return this.tokens.length;
  }

  token(index: number): number {
    return this.tokens[index]!;
  }
}

const REGULAR_FILE = 12;
/** The user watches as many descriptors as fs.epoll.max_user_watches allows. */
const ONE_TOO_MANY = 13;

/** What is of no concern to a test. */
function quietContext(board: Board): ReadLoopContext {
  return {
    board,
    steps: board.steps(READER),
    takeWakeUp: () => {},
    onNames: () => {},
    isGone: () => false,
    onBusy: () => {},
    onInputFailed: fail,
  };
}

function inputFrom(
  source: Source,
  { framer, counters, ring }: FramedInput,
  waitsForNextWriter = false,
): InputLoop {
  const pace = new Pace(counters, () => undefined);
  return new InputLoop(source, framer, pace, ring, waitsForNextWriter);
}

function writeAll(descriptor: number, text: string): void {
  const bytes = encode(text);
  assertEquals(write(descriptor, addressOf(bytes), bytes.length), bytes.length);
}

/** The read end of a pipe, as standard input would be. */
function pipeSource(number: number): PipeSource {
  return PipeSource.open(
    { kind: "descriptor", number, name: `pipe ${number}` },
    { pipeSizeBytes: 4096, create: false },
    { onNotice: fail },
  );
}

class ToldLoop {
  readonly board = Board.create();
  readonly sources = [new ToldSource(10), new ToldSource(11)];
  readonly failures: string[] = [];
  readonly readiness = new ToldReadiness();
  readonly loop: ReadLoop;
  readonly gone = new Set<number>();
  /** Comes while a wake-up is taken. */
  meanwhile = () => {};
  rings = 0;
  /** When the last round was, on the monotonic clock. */
  servedMs = 0;

  /** @param descriptor of the first input */
  constructor(descriptor = 10) {
    this.sources[0] = new ToldSource(descriptor);
    this.loop = new ReadLoop(this.readiness, {
      ...quietContext(this.board),
      takeWakeUp: () => this.meanwhile(),
      isGone: (route) => this.gone.has(route),
      onInputFailed: (message) => this.failures.push(message),
    });
    for (const [index, source] of this.sources.entries()) {
      this.loop.add(inputFrom(source, new FramedInput()), index, () => this.rings++);
    }
  }

  /** One round, after these have become ready. */
  serve(...tokens: number[]): void {
    this.readiness.tokens = tokens;
    this.servedMs = Math.floor(performance.now());
    this.loop.serve(this.servedMs);
  }

  /** Asked for at once after the round. */
  get timeoutMs(): number {
    return this.loop.timeoutMs(this.servedMs);
  }
}

Deno.test("waits for ever while nothing is due, and no longer than an unfinished line", () => {
  const told = new ToldLoop();
  assertEquals(told.timeoutMs, -1);
  told.sources[0]!.answers = [5];
  told.serve(0);
  assert(told.timeoutMs > 0 && told.timeoutMs <= 1000, `${told.timeoutMs} ms`);
  assertEquals(told.rings, 1);
});

Deno.test("a stop that comes while an earlier wake-up is taken is not overslept", () => {
  const told = new ToldLoop();
  told.meanwhile = () => told.board.requestStop();
  told.serve(WAKE_UP);
  // The wake-up of the stop is gone, too: nobody would call a second time.
  assert(told.loop.ended);
});

Deno.test("an input that fails ends, and the others go on", () => {
  const told = new ToldLoop();
  const [bad, good] = told.sources;
  bad!.answers = [new InputError("the disk is gone")];
  good!.answers = [5];
  told.serve(0, 1);
  assertEquals(told.failures, ["the disk is gone"]);
  assert(!told.loop.ended);
  assertEquals([...told.readiness.watched.keys()], [11]);
  good!.answers = [ENDED];
  told.serve(1);
  assertEquals(told.failures.length, 1);
  assert(told.loop.ended);
});

Deno.test("an input that cannot be watched fails, and the others go on", () => {
  const told = new ToldLoop(ONE_TOO_MANY);
  assertEquals(told.timeoutMs, 0);
  told.serve();
  const [failure, ...others] = told.failures;
  assertMatch(failure!, /^cannot watch the told input: .*\(ENOSPC\); raise fs\.epoll/);
  assertEquals(others, []);
  assert(told.sources[0]!.closed && !told.sources[1]!.closed);
  assertEquals(told.timeoutMs, -1);
  told.sources[1]!.answers = [ENDED];
  told.serve(1);
  assert(told.loop.ended);
});

Deno.test("does not wait for last bytes that somebody else has read", () => {
  const told = new ToldLoop();
  told.sources[0]!.pendingBytes = 5;
  told.board.requestStop();
  told.serve();
  assertEquals(told.timeoutMs, 0);
  told.sources[0]!.pendingBytes = 0;
  told.serve();
  assert(told.loop.ended);
});

Deno.test("a stop reads what is in more pipes than one wait reports", () => {
  const epoll = new Epoll();
  const board = Board.create();
  const loop = new ReadLoop(epoll, quietContext(board));
  // One wait reports 256.
  const inputs = Array.from({ length: 300 }, (_, route) => {
    const [readEnd, writeEnd] = pipe();
    const framed = new FramedInput();
    loop.add(inputFrom(pipeSource(readEnd), framed), route, () => {});
    writeAll(writeEnd, "a line\n");
    close(writeEnd);
    return framed;
  });
  // All of it has come after the wait that the stop has ended.
  board.requestStop();
  loop.serve(performance.now());
  for (let round = 0; !loop.ended; round++) {
    assert(round < 10, "it does not end");
    epoll.wait(loop.timeoutMs(performance.now()));
    loop.serve(performance.now());
  }
  epoll.close();
  const unread = inputs.filter(({ counts }) => counts.linesIn !== 1n);
  assertEquals(unread.length, 0, "inputs whose line was not read");
});

Deno.test("only those that have something to do are served", () => {
  const told = new ToldLoop();
  told.sources[1]!.answers = [5];
  told.serve(1);
  assertEquals(told.loop.served.length, 1);
  told.serve(WAKE_UP);
  assertEquals(told.loop.served.length, 2, "a wake-up may be for anybody");
});

Deno.test("a file, for which nothing can wait, is read until its end", () => {
  const told = new ToldLoop(REGULAR_FILE);
  assertEquals(told.timeoutMs, 0);
  told.sources[0]!.answers = [5, 5, ENDED];
  for (let round = 0; round < 3; round++) told.serve();
  assertEquals(told.timeoutMs, -1);
  assertEquals(told.sources[0]!.answers, []);
});

Deno.test("when an output is gone, its inputs are closed, and no other", () => {
  const told = new ToldLoop();
  told.gone.add(0);
  told.serve(WAKE_UP);
  assertEquals([...told.readiness.watched.keys()], [11]);
  assert(told.sources[0]!.closed && !told.sources[1]!.closed);
  told.sources[1]!.answers = [ENDED];
  told.serve(1);
  assert(told.loop.ended);
});

/** Real pipes in a real epoll, as the reader has them. */
class PipedLoop {
  readonly epoll = new Epoll();
  readonly board = Board.create();
  readonly gone = new Set<number>();
  readonly loop = new ReadLoop(this.epoll, {
    ...quietContext(this.board),
    isGone: (route) => this.gone.has(route),
  });
  /** Descriptors that have the same pipes open, as another process would. */
  readonly #held: number[] = [];

  /** Each input has a route of its own. */
  add(source: Source, route: number, waitsForNextWriter = false): FramedInput {
    this.#held.push(sameOpenPipe(source.descriptor));
    const framed = new FramedInput();
    this.loop.add(inputFrom(source, framed, waitsForNextWriter), route, () => {});
    return framed;
  }

  /** @returns how many descriptors were reported */
  round(timeoutMs = 0): number {
    this.epoll.wait(timeoutMs);
    this.loop.serve(performance.now());
    return this.epoll.ready;
  }

  /**
   * What comes after a writer has closed its end may come a moment later: a process
   * that another test starts at this moment has the end, too, until its own exec.
   */
  roundOfEnd(): number {
    return this.round(30_000);
  }

  [Symbol.dispose](): void {
    this.epoll.close();
    this.#held.forEach(close);
  }
}

/** What a child inherits: another number for the same opening of the pipe. */
function sameOpenPipe(descriptor: number): number {
  const F_DUPFD = 0;
  return libc().call.fcntl(descriptor, F_DUPFD, 0);
}

Deno.test("a pipe that another process holds open can end, and the others go on", () => {
  using piped = new PipedLoop();
  const ends = [pipe(), pipe()];
  const [, other] = ends.map(([readEnd], route) => piped.add(pipeSource(readEnd), route));
  const [[, first], [, second]] = ends as [[number, number], [number, number]];
  close(first);
  assertEquals(piped.roundOfEnd(), 1);
  assertEquals(piped.round(), 0, "what has ended is not reported again");
  writeAll(second, "a line\n");
  piped.round();
  assertEquals(other!.counts.linesIn, 1n);
  close(second);
  piped.roundOfEnd();
  assert(piped.loop.ended);
});

Deno.test("a pipe that another process holds open is not reported after its output has gone", () => {
  using piped = new PipedLoop();
  const [readEnd, writeEnd] = pipe();
  piped.add(pipeSource(readEnd), 0);
  piped.gone.add(0);
  writeAll(writeEnd, "for nobody\n");
  piped.loop.lookAtAll();
  piped.round();
  assert(piped.loop.ended);
  close(writeEnd);
  assertEquals(piped.round(), 0);
});

Deno.test("a named pipe that another process holds open can have a next writer", () =>
  inFolder((folder) => {
    using piped = new PipedLoop();
    const path = `${folder}/pipe`;
    createFifo(path);
    const source = PipeSource.open(
      { kind: "fifo", path },
      { pipeSizeBytes: 4096, create: false },
      { onNotice: fail },
    );
    const { counters } = piped.add(source, 0, true);
    for (const linesIn of [1n, 2n]) {
      const writeEnd = open(path, O_WRONLY | O_NONBLOCK);
      writeAll(writeEnd, "a line\n");
      assertEquals(piped.round(), 1);
      close(writeEnd);
      assertEquals(piped.roundOfEnd(), 1);
      assertEquals(piped.round(), 0, "the end of a writer is reported once");
      assertEquals(counters.read(false).linesIn, linesIn);
    }
    piped.board.requestStop();
    piped.loop.lookAtAll();
    piped.round();
    assert(piped.loop.ended);
    return Promise.resolve();
  }));
