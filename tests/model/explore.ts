/**
 * `deno task model [FRAMES]`: every interleaving of larger models, with every kind
 * of garbage, and how many that were; then smaller ones that are killed at every store.
 */

import { type Explored, GARBAGE, Interleavings } from "./interleavings.ts";
import { exploreKilled } from "./killed_threads.ts";
import { ringModel } from "./ring_threads.ts";
import { killedScenarios, scenarios } from "./scenarios.ts";

const DEFAULT_FRAMES = 4;
/** More than two have more states than can be recovered from. */
const MAX_READS = 2;

const sum = { states: 0, transitions: 0, schedules: 0n, runs: 0, kills: 0 };

/** @param explore one model with one kind of garbage */
function exploreAll<S>(
  models: Readonly<Record<string, S>>,
  explore: (scenario: S, garbage: typeof GARBAGE[string]) => Explored & { kills: number },
): void {
  for (const [name, scenario] of Object.entries(models)) {
    for (const [kind, garbage] of Object.entries(GARBAGE)) {
      const { states, transitions, schedules, runs, kills } = explore(scenario, garbage);
      console.log(
        `${name}; unowned memory holds ${kind}: ${states} states, ` +
          `${transitions} transitions, ${schedules} interleavings, ${kills} kills`,
      );
      sum.states += states;
      sum.transitions += transitions;
      sum.schedules += schedules;
      sum.runs += runs;
      sum.kills += kills;
    }
  }
}

const frames = Number(Deno.args[0] ?? DEFAULT_FRAMES);
if (!Number.isInteger(frames) || frames < 0) throw new Error("FRAMES is a number");
exploreAll(scenarios(frames), (scenario, garbage) => ({
  ...new Interleavings(ringModel(scenario), garbage).explore(),
  kills: 0,
}));
exploreAll(killedScenarios(Math.min(frames, MAX_READS)), exploreKilled);
console.log(
  `all: ${sum.states} states, ${sum.transitions} transitions, ` +
    `${sum.schedules.toLocaleString("en", { notation: "scientific" })} interleavings, ` +
    `${sum.kills} kills, the code under test was run ${sum.runs} times`,
);
