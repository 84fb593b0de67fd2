/**
 * `deno task simulate [RUNS] [SEED]`: so many runs, made from a seed. With the path
 * that a failure has printed as a third argument it is that one run again.
 */

import { simulate } from "./simulate_many.ts";

const DEFAULT_RUNS = 10_000;
/** Each has a seed of its own: the next. */
const RUNS_AT_ONCE = 10_000;

const runs = Number(Deno.args[0] ?? DEFAULT_RUNS);
const firstSeed = Number(Deno.args[1] ?? Math.floor(Math.random() * 2 ** 31));
const path = Deno.args[2];
const startMs = performance.now();
console.log(`${runs} simulated runs from seed ${firstSeed}`);
for (let done = 0, seed = firstSeed; done < runs; seed++) {
  const next = Math.min(RUNS_AT_ONCE, runs - done);
  const seen = await simulate(next, path === undefined ? { seed } : { seed, path });
  done += next;
  const seconds = Math.round((performance.now() - startMs) / 1000);
  console.log(`${done} runs as they must be, in ${seconds} s; ${JSON.stringify(seen)}`);
}
