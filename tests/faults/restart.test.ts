import { EXECUTABLES, testPrograms } from "../end_to_end/programs.ts";
import { needingNats } from "../end_to_end/nats_servers.ts";
import { RESTART_KINDS, type RestartKindName } from "./restart_outputs.ts";
import { restartTrialOf, runRestartTrial } from "./restart_trial.ts";

/** `deno task kill` runs as many more as it is asked for. */
const SEEDS = [1, 2];

for (const kind of Object.keys(RESTART_KINDS) as RestartKindName[]) {
  const what =
    `killed again and again, its runs together write all that was read (${kind})`;
  const { name, ignore } = kind === "nats"
    ? needingNats(what)
    : { name: what, ignore: false };
  testPrograms(name, async (program) => {
    for (const seed of SEEDS) {
      await runRestartTrial(program, seed, restartTrialOf(seed, kind));
    }
  }, { programs: EXECUTABLES, ignore });
}
