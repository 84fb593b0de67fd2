import { EXECUTABLES, testPrograms } from "../end_to_end/programs.ts";
import { DESTINATIONS, restartTrialOf, runRestartTrial } from "./restart_trial.ts";

/** `deno task kill` runs as many more as it is asked for. */
const SEEDS = [1, 2];

for (const destination of DESTINATIONS) {
  testPrograms(
    `killed again and again, its runs together write all that was read (${destination})`,
    async (program) => {
      for (const seed of SEEDS) {
        await runRestartTrial(program, seed, restartTrialOf(seed, destination));
      }
    },
    { programs: EXECUTABLES },
  );
}
