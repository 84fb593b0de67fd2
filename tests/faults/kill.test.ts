import { testExecutables } from "../end_to_end/programs.ts";
import { runTrial } from "./kill_trial.ts";

/** `deno task kill` runs as many more as it is asked for. */
const SEEDS = 10;

testExecutables(
  "stopped at any moment under load, it says exactly what came out",
  async (program) => {
    for (let seed = 0; seed < SEEDS; seed++) await runTrial(program, seed);
  },
);
