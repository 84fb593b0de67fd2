import { assert, assertEquals, assertThrows, fail } from "@std/assert";
import { InputError } from "../../src/errors.ts";
import { Pace } from "../../src/input/give_way.ts";
import { InputLoop } from "../../src/input/input_loop.ts";
import { createFifo } from "../../src/input/fifo.ts";
import { PipeSource } from "../../src/input/pipe_source.ts";
import {
  close,
  O_NONBLOCK,
  O_WRONLY,
  open,
  read,
  write,
} from "../../src/system/descriptors.ts";
import { EAGAIN } from "../../src/system/errno.ts";
import { addressOf } from "../../src/system/memory.ts";
import { poll, POLLIN } from "../../src/system/poll.ts";
import type { FullPolicy } from "../../src/lane/ring_producer.ts";
import { encode, type Taken, textOf } from "../lane/ring_pair.ts";
import { FramedInput } from "./framed_input.ts";

const PIPE_BYTES = 64 * 1024;

/** An input loop on a named pipe, and what writes into it. */
class PipedInput {
  readonly framed: FramedInput;
  readonly loop: InputLoop;
  readonly #path: string;
  readonly #folder = Deno.makeTempDirSync();
  #writer: number;
  stopping = false;

  constructor(
    { policy = "overwrite", once = true }: { policy?: FullPolicy; once?: boolean },
  ) {
    this.framed = new FramedInput({ policy });
    this.#path = `${this.#folder}/pipe`;
    createFifo(this.#path);
    this.loop = new InputLoop(
      PipeSource.open(
        { kind: "fifo", path: this.#path },
        { pipeSizeBytes: PIPE_BYTES, create: false },
        { onNotice: fail },
      ),
      this.framed.framer,
      new Pace(this.framed.counters, () => undefined),
      this.framed.ring,
      !once,
    );
    this.#writer = this.#openWriter();
  }

  #openWriter(): number {
    return open(this.#path, O_WRONLY | O_NONBLOCK);
  }

  /** Writes what the pipe takes; returns how many bytes that were. */
  write(text: string): number {
    const bytes = encode(text);
    const count = write(this.#writer, addressOf(bytes), bytes.length);
    return count === -EAGAIN ? 0 : count;
  }

  closeWriter(): void {
    if (this.#writer >= 0) close(this.#writer);
    this.#writer = -1;
  }

  nextWriter(): void {
    this.closeWriter();
    this.#writer = this.#openWriter();
  }

  /** Takes what is in the pipe, as another reader of it would. */
  takeAsAnother(): void {
    const taken = new Uint8Array(PIPE_BYTES);
    assert(read(this.loop.source.descriptor, addressOf(taken), taken.length) > 0);
  }

  /**
   * Its descriptor only writes from now on. One that is closed could be another test's at
   * once, in a thread beside this one.
   */
  makeUnreadable(): void {
    const parameters = ["i32", "i32"] as const;
    const libc = Deno.dlopen("libc.so.6", { dup2: { parameters, result: "i32" } });
    const { descriptor } = this.loop.source;
    assertEquals(libc.symbols.dup2(this.#writer, descriptor), descriptor);
    libc.close();
  }

  /** One round as the reader thread makes it, but without waiting in poll(2). */
  round(): void {
    const descriptor = this.loop.wantsInput ? this.loop.source.descriptor : -1;
    this.loop.serve(poll(descriptor, POLLIN, 0) !== 0, this.stopping, 0);
  }

  /** Rounds until the input has ended; `pop` one frame whenever the ring is full. */
  finish(): Taken[] {
    const taken: Taken[] = [];
    // A child of another test may have the writer for a moment.
    const deadline = performance.now() + 60_000;
    while (!this.loop.ended) {
      if (performance.now() > deadline) throw new Error("the input does not end");
      this.round();
      if (this.framed.framer.blocked) taken.push(this.framed.pop()!);
    }
    return [...taken, ...this.framed.drainAll()];
  }

  [Symbol.dispose](): void {
    this.closeWriter();
    if (!this.loop.ended) this.loop.source.close();
    Deno.removeSync(this.#folder, { recursive: true });
  }
}

Deno.test("says that a read has taken little of a pipe, and all there was", () => {
  using input = new PipedInput({});
  input.write("x".repeat(100));
  input.round();
  assertEquals([input.loop.bytesRead, input.loop.sparse], [100, true]);
  input.round();
  assertEquals(input.loop.bytesRead, 0);
  input.write("x".repeat(PIPE_BYTES / 8 - 1));
  input.round();
  assertEquals([input.loop.bytesRead, input.loop.sparse], [PIPE_BYTES / 8 - 1, true]);
  input.write("x".repeat(PIPE_BYTES / 8));
  input.round();
  assertEquals([input.loop.bytesRead, input.loop.sparse], [PIPE_BYTES / 8, false]);
});

/** Writes and reads until the ring is full, and then until the pipe is too. */
function fillRingAndPipe(input: PipedInput): string {
  let written = "";
  for (let line = 0;; line++) {
    const text = `${line} `.padEnd(999, ".") + "\n";
    const count = input.write(text);
    if (count === 0) return written;
    assertEquals(count, text.length);
    written += text;
    if (!input.framed.framer.blocked) input.round();
  }
}

Deno.test("reads an input to its end, and then is ended", () => {
  using input = new PipedInput({});
  input.write("one\ntwo\n");
  input.round();
  assert(!input.loop.ended);
  input.write("three");
  input.closeWriter();
  assertEquals(textOf(...input.finish()), "one\ntwo\nthree");
  assertEquals(input.framed.counts.linesIn, 3n);
  assert(!input.loop.wantsInput);
});

Deno.test("an input without a writer yet is not at its end", () => {
  using input = new PipedInput({});
  input.round();
  assert(!input.loop.ended);
  assert(input.loop.wantsInput);
});

Deno.test("goes on with the next writer, in the middle of a line if need be", () => {
  using input = new PipedInput({ once: false });
  input.write("first\nsec");
  input.round();
  input.closeWriter();
  input.round();
  assert(!input.loop.ended);
  input.nextWriter();
  input.write("ond\n");
  input.round();
  input.stopping = true;
  assertEquals(textOf(...input.finish()), "first\nsecond\n");
  assertEquals(input.framed.counts.linesIn, 2n);
});

Deno.test("what a writer leaves behind between two writers is not lost", () => {
  using input = new PipedInput({ once: false });
  input.write("one\n");
  input.round();
  input.closeWriter();
  input.nextWriter();
  input.write("two\n");
  input.closeWriter();
  for (let rounds = 0; rounds < 5; rounds++) input.round();
  input.nextWriter();
  input.write("three\n");
  input.stopping = true;
  assertEquals(textOf(...input.finish()), "one\ntwo\nthree\n");
});

Deno.test("stop: reads what was written before, and nothing that is written after", () => {
  using input = new PipedInput({});
  input.write("read one\n");
  input.round();
  input.write("read two\n");
  input.stopping = true;
  input.loop.serve(false, true, 0);
  input.write("too late\n");
  assert(input.loop.hurries);
  assertEquals(textOf(...input.finish()), "read one\nread two\n");
});

Deno.test("stop: ends although another reader has taken what was there", () => {
  using input = new PipedInput({});
  input.write("for somebody else\n");
  input.loop.serve(false, true, 0);
  assert(input.loop.hurries);
  input.takeAsAnother();
  input.loop.serve(false, true, 0);
  assert(input.loop.ended);
});

Deno.test("stop under block: what was in the pipe is read when the ring has room", () => {
  using input = new PipedInput({ policy: "block" });
  const written = fillRingAndPipe(input);
  input.stopping = true;
  const taken = input.finish();
  assertEquals(textOf(...taken), written);
  assert(taken.at(-1)!.end);
});

Deno.test("the end of a blocked input comes after all that it had", () => {
  using input = new PipedInput({ policy: "block" });
  const written = fillRingAndPipe(input);
  input.closeWriter();
  const taken = input.finish();
  assertEquals(textOf(...taken), written);
  assert(taken.at(-1)!.end);
  assertEquals(input.framed.counts.linesIn, BigInt(written.length / 1000));
});

Deno.test("a blocked input is not read, nor does it keep the reader awake", () => {
  using input = new PipedInput({ policy: "block" });
  fillRingAndPipe(input);
  input.loop.serve(false, true, 0);
  assert(!input.loop.wantsInput);
  assert(!input.loop.hurries);
  assertEquals(input.framed.framer.deadlineMs, Infinity);
});

Deno.test("an input that cannot be read says why, and what it had still comes", () => {
  using input = new PipedInput({});
  input.write("kept");
  input.round();
  input.makeUnreadable();
  assertThrows(
    () => input.loop.serve(true, false, 0),
    InputError,
    "Bad file descriptor (EBADF)",
  );
  input.loop.finish();
  assertEquals(textOf(...input.framed.drainAll()), "kept");
});
