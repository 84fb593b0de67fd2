import { assertEquals } from "@std/assert";
import { pushBeforeOthers } from "../../src/input/arrival_order.ts";
import { textOf } from "../lane/ring_pair.ts";
import { FramedInput } from "./framed_input.ts";

/** Two inputs whose next lines wait for company, since the flusher is behind. */
function twoBacklogged(): [FramedInput, FramedInput] {
  const inputs: [FramedInput, FramedInput] = [new FramedInput({}), new FramedInput({})];
  for (const input of inputs) {
    input.land("first\n");
    input.land("second\nunfin");
  }
  return inputs;
}

/** What has come into the rings, when these inputs are about to read. */
function pushedWhen(ready: readonly number[], ended = false): string[] {
  const inputs = twoBacklogged();
  pushBeforeOthers(
    inputs.map(({ framer }) => ({ ended, framer })),
    (slot) => ready.includes(slot),
  );
  return inputs.map((input) => textOf(...input.drainAll()));
}

const WAITS = "first\n";
const PUSHED = "first\nsecond\n";

Deno.test("lines wait for company while nothing else is read", () => {
  assertEquals(pushedWhen([]), [WAITS, WAITS]);
  assertEquals(pushedWhen([0]), [WAITS, PUSHED]);
  assertEquals(pushedWhen([1]), [PUSHED, WAITS]);
});

Deno.test("lines of two inputs that are both read do not wait", () => {
  assertEquals(pushedWhen([0, 1]), [PUSHED, PUSHED]);
});

Deno.test("an input that has ended has nothing to push", () => {
  assertEquals(pushedWhen([0, 1], true), [WAITS, WAITS]);
});

Deno.test("lines wait while the ring is crowded, where small frames would cost others", () => {
  const [input, other] = twoBacklogged();
  while (!input.framer.crowded) input.land("x".repeat(999) + "\n");
  input.passMs(1000);
  input.land("last\n");
  const inputs = [input, other].map(({ framer }) => ({ ended: false, framer }));
  pushBeforeOthers(inputs, (slot) => slot === 1);
  assertEquals(textOf(...input.drainAll()).includes("last"), false);
  input.passMs(1000);
  assertEquals(textOf(...input.drainAll()), "last\n");
});
