import { assert, assertEquals } from "@std/assert";
import { GARBAGE, Interleavings } from "./interleavings.ts";
import { ringModel } from "./ring_threads.ts";
import { scenarios } from "./scenarios.ts";

/** The larger models, with every kind of garbage, are for `deno task model`. */
const FRAMES = 3;

for (const [name, scenario] of Object.entries(scenarios(FRAMES))) {
  Deno.test(`in every interleaving nothing is lost, torn, doubled or overslept: ${name}`, () => {
    for (const garbage of [GARBAGE["what is there"], GARBAGE["noise"]]) {
      const { states, schedules } = new Interleavings(ringModel(scenario), garbage)
        .explore();
      assert(states > 1000);
      assert(schedules > 1_000_000n);
    }
  });
}

Deno.test("the model is the same each time it is explored", () => {
  const scenario = scenarios(1)["overwrite, a line in pieces"]!;
  const explore = () =>
    new Interleavings(ringModel(scenario), GARBAGE["noise"]).explore();
  assertEquals(explore(), explore());
});
