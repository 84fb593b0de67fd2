/**
 * `deno task kill [TRIALS] [SEED] [restarts]`: stops the programs at random moments under
 * load, as often as it is asked to; with `restarts` those with --keep, which are killed
 * and started again. With 1 and a seed it runs one trial again.
 */

import { EXECUTABLES, PROGRAMS } from "../end_to_end/programs.ts";
import { runTrial } from "./kill_trial.ts";
import { runRestartTrial } from "./restart_trial.ts";

const DEFAULT_TRIALS = 1000;

const trials = Number(Deno.args[0] ?? DEFAULT_TRIALS);
const firstSeed = Number(Deno.args[1] ?? Math.floor(Math.random() * 2 ** 31));
const restarts = Deno.args[2] === "restarts";
const run = restarts ? runRestartTrial : runTrial;
const programs = (restarts ? EXECUTABLES : PROGRAMS).filter(({ missing }) => !missing);
console.log(`${trials} trials of each program from seed ${firstSeed}`);
let failures = 0;
for (let seed = firstSeed; seed < firstSeed + trials; seed++) {
  for (const program of programs) {
    try {
      await run(program, seed);
    } catch (error) {
      failures++;
      console.error(error);
    }
  }
}
console.log(`${trials * programs.length} runs, ${failures} of them wrong`);
if (failures > 0) Deno.exit(1);
