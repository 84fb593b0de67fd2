import fc from "fast-check";
import { anyScenario } from "./scenario.ts";
import { type Outcome, SimulatedRun } from "./simulated_run.ts";

/** In how many runs each of these happened. */
export type Seen = Record<keyof Outcome, number>;

export interface Replay {
  readonly seed: number;
  /** Of one failed run, as it was printed. */
  readonly path?: string;
}

/** @throws Error with the smallest scenario that fails, and how to run it again. */
export async function simulate(runs: number, replay: Replay): Promise<Seen> {
  const seen: Seen = {
    overwrote: 0,
    dropped: 0,
    rejected: 0,
    failed: 0,
    stopped: 0,
    apart: 0,
    cut: 0,
    killed: 0,
  };
  const property = fc.asyncProperty(anyScenario, async (scenario) => {
    const outcome = await new SimulatedRun(scenario).run();
    for (const what of Object.keys(outcome) as (keyof Outcome)[]) {
      if (outcome[what]) seen[what]++;
    }
  });
  const { seed, path } = replay;
  const again = path === undefined ? {} : { path, endOnFailure: true };
  const found = await fc.check(property, { numRuns: runs, seed, ...again });
  if (!found.failed) return seen;
  const scenario = JSON.stringify(found.counterexample?.[0]);
  throw new Error(
    `the smallest scenario that fails is ${scenario}; run it again with: ` +
      `deno task simulate 1 ${found.seed} ${found.counterexamplePath}`,
    { cause: found.errorInstance },
  );
}
