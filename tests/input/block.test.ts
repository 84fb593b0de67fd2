import { assert, assertEquals } from "@std/assert";
import { type Taken, textOf } from "../lane/ring_pair.ts";
import { FramedInput } from "./framed_input.ts";

/** Lands lines until the ring takes no more; returns all that has landed. */
function fill(input: FramedInput): string {
  let landed = "";
  for (let line = 0; !input.framer.blocked; line++) {
    const text = `${line} `.padEnd(999, ".") + "\n";
    input.land(text);
    landed += text;
    input.passMs(10);
  }
  return landed;
}

Deno.test("under block, a full ring asks the consumer to say when there is room", () => {
  const input = new FramedInput({ policy: "block" });
  fill(input);
  assert(input.framer.blocked);
  input.consumer.drain(1);
  assert(input.consumer.takeRoomRequest());
});

Deno.test("under block, what did not fit follows exactly as soon as there is room", () => {
  const input = new FramedInput({ policy: "block" });
  const landed = fill(input);
  const taken: Taken[] = [];
  while (input.framer.blocked) {
    taken.push(input.pop()!);
    input.framer.unblock(input.nowMs);
  }
  input.end();
  taken.push(...input.drainAll());
  assertEquals(textOf(...taken), landed);
  assert(taken.every(({ gapBytes }) => gapBytes === 0));
  assertEquals(input.counts.linesIn, BigInt(landed.length / 1000));
  assertEquals(input.losses, 0);
});

Deno.test("under block, a full ring takes nothing and loses nothing while nobody pops", () => {
  const input = new FramedInput({ policy: "block" });
  const landed = fill(input);
  for (let attempt = 0; attempt < 10; attempt++) input.framer.unblock(input.nowMs);
  assert(input.framer.blocked);
  assertEquals(input.framer.deadlineMs, Infinity);
  assertEquals(input.counts.bytesBuffered, BigInt(landed.length));
  assertEquals(textOf(input.pop()), landed.slice(0, 1000));
});

Deno.test("under block, the time in which nothing is read does not count for an unfinished line", () => {
  const input = new FramedInput({ policy: "block" });
  fill(input);
  // Its newline is in the pipe, which nobody reads while the ring is full.
  input.land("the rest com");
  input.passMs(60_000);
  input.drainAll();
  input.framer.unblock(input.nowMs);
  input.passMs(0);
  assertEquals(textOf(...input.drainAll()).at(-1), "\n", "it was cut in two");
  assertEquals(input.framer.deadlineMs, input.nowMs + 1000);
  input.land("es\n");
  assertEquals(textOf(...input.drainAll()), "the rest comes\n");
});
