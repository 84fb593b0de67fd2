/**
 * `deno task model [FRAMES]`: every interleaving of larger models, with every kind
 * of garbage, and how many that were.
 */

import { GARBAGE, Interleavings } from "./interleavings.ts";
import { scenarios } from "./scenarios.ts";

const DEFAULT_FRAMES = 4;

const frames = Number(Deno.args[0] ?? DEFAULT_FRAMES);
if (!Number.isInteger(frames) || frames < 0) throw new Error("FRAMES is a number");
let [states, transitions, runs] = [0, 0, 0];
let schedules = 0n;
for (const [name, scenario] of Object.entries(scenarios(frames))) {
  for (const [kind, garbage] of Object.entries(GARBAGE)) {
    const explored = new Interleavings(scenario, garbage).explore();
    console.log(
      `${name}; unowned memory holds ${kind}: ${explored.states} states, ` +
        `${explored.transitions} transitions, ${explored.schedules} interleavings`,
    );
    states += explored.states;
    transitions += explored.transitions;
    schedules += explored.schedules;
    runs += explored.runs;
  }
}
console.log(
  `all: ${states} states, ${transitions} transitions, ` +
    `${schedules.toLocaleString("en", { notation: "scientific" })} interleavings, ` +
    `the code under test was run ${runs} times`,
);
