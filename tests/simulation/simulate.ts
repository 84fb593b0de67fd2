/** `deno task simulate [RUNS] [SEED]`: so many runs from a seed, each with the next. */

import { simulate } from "./simulated_run.ts";

const DEFAULT_RUNS = 10_000;

const runs = Number(Deno.args[0] ?? DEFAULT_RUNS);
const firstSeed = Number(Deno.args[1] ?? Math.floor(Math.random() * 2 ** 31));
console.log(`${runs} simulated runs from seed ${firstSeed}`);
for (let seed = firstSeed; seed < firstSeed + runs; seed++) await simulate(seed);
console.log("all as they must be");
