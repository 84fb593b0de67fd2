import { assert } from "@std/assert";
import { simulate } from "./simulate_many.ts";

/** `deno task simulate` makes as many more, from other seeds. */
const RUNS = 1000;
const SEED = 20261122;

Deno.test("whole runs: every byte is out or told missing, lines are whole, and they end", async () => {
  const seen = await simulate(RUNS, { seed: SEED });
  for (const [what, runs] of Object.entries(seen)) {
    assert(runs >= RUNS / 100, `${what} in ${runs} of ${RUNS} runs shows little`);
  }
});
