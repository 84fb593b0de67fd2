import { assert } from "@std/assert";
import { GARBAGE } from "./interleavings.ts";
import { exploreKilled } from "./killed_threads.ts";
import { killedScenarios } from "./scenarios.ts";

/** The larger models, with every kind of garbage, are for `deno task model`. */
const READS = 2;

for (const [name, scenario] of Object.entries(killedScenarios(READS))) {
  Deno.test(`killed anywhere, the next run delivers what is left: ${name}`, () => {
    const { kills } = exploreKilled(scenario, GARBAGE["noise"]);
    assert(kills > 1000);
  });
}
