import { simulate } from "./simulated_run.ts";

/** `deno task simulate` runs as many more as it is told. */
const SEEDS = 300;

Deno.test("whole runs from a seed: every byte is out or told missing, lines are whole", async () => {
  for (let seed = 0; seed < SEEDS; seed++) await simulate(seed);
});
