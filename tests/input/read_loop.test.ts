import { assert, assertEquals } from "@std/assert";
import { InputError } from "../../src/errors.ts";
import { InputLoop, type Source } from "../../src/input/input_loop.ts";
import { ENDED, WOULD_BLOCK } from "../../src/input/pipe_source.ts";
import { ReadLoop } from "../../src/input/read_loop.ts";
import { Doorbell } from "../../src/threads/doorbell.ts";
import { pipe } from "../../src/system/pipes.ts";
import { Board } from "../../src/threads/board.ts";
import { wakeReader } from "../../src/threads/wake_pipe.ts";
import { FramedInput } from "./framed_input.ts";

/** A pipe that answers reads with what a test has told it. */
class ToldSource implements Source {
  readonly name = "the told input";
  readonly isNamed = false;
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

  awaitNextWriter(): void {}
  look(): void {}
  close(): void {}
}

class ToldLoop {
  readonly board = Board.create(1);
  readonly sources = [new ToldSource(10), new ToldSource(11)];
  readonly failures: string[] = [];
  readonly loop: ReadLoop;
  readonly #wakePipe = pipe();
  /** Slots that poll(2) says are ready; the last is that of the wake-ups. */
  ready: number[] = [];
  /** Comes when the loop asks whether it was woken. */
  meanwhile = () => {};

  constructor() {
    const inputs = this.sources.map((source) => {
      const { framer, ring } = new FramedInput();
      return new InputLoop(source, framer, ring.memory, false);
    });
    this.loop = new ReadLoop(inputs, {
      watch: () => {},
      ready: (slot) => {
        if (slot === inputs.length) this.meanwhile();
        return this.ready.includes(slot) ? 1 : 0;
      },
    }, {
      board: this.board,
      doorbell: Doorbell.create(),
      wakeDescriptor: this.#wakePipe[0],
      onBusy: () => {},
      onInputFailed: (message) => this.failures.push(message),
    });
  }

  wake(): void {
    wakeReader(this.#wakePipe);
    this.ready.push(this.sources.length);
  }
}

Deno.test("waits for ever while nothing is due, and no longer than an unfinished line", () => {
  const { loop, sources, ready } = new ToldLoop();
  assertEquals(loop.watch(), -1);
  ready.push(0);
  sources[0]!.answers = [5];
  loop.serve(performance.now());
  const waitMs = loop.watch();
  assert(waitMs > 0 && waitMs <= 1000, `${waitMs} ms`);
});

Deno.test("a stop that comes while an earlier wake-up is taken is not overslept", () => {
  const told = new ToldLoop();
  told.wake();
  told.meanwhile = () => {
    told.board.requestStop();
    told.wake();
  };
  told.loop.serve(performance.now());
  // The wake-up of the stop is gone, too: nobody would call a second time.
  assert(told.loop.ended);
});

Deno.test("an input that fails ends, and the others go on", () => {
  const told = new ToldLoop();
  const [bad, good] = told.sources;
  bad!.answers = [new InputError("the disk is gone")];
  good!.answers = [5];
  told.ready = [0, 1];
  told.loop.serve(performance.now());
  assertEquals(told.failures, ["the disk is gone"]);
  assert(!told.loop.ended);
  good!.answers = [ENDED];
  told.loop.serve(performance.now());
  assertEquals(told.failures.length, 1);
  assert(told.loop.ended);
});

Deno.test("does not wait for last bytes that somebody else has read", () => {
  const told = new ToldLoop();
  told.sources[0]!.pendingBytes = 5;
  told.board.requestStop();
  told.loop.serve(performance.now());
  assertEquals(told.loop.watch(), 0);
  told.loop.serve(performance.now());
  assert(told.loop.ended);
});
