/**
 * Measures the executables against what a person would use instead.
 *
 *     deno task bench [--quick] [--json] [--only NAME]…
 */

import { parseArgs } from "node:util";
import { writeCharts } from "./charts.ts";
import { describe, thisMachine } from "./machine.ts";
import { command } from "./measures/command.ts";
import { containers } from "./measures/containers.ts";
import { idle, memory } from "./measures/footprint.ts";
import { formats } from "./measures/formats.ts";
import { frozenThroughput, writeDuration } from "./measures/frozen_output.ts";
import { growth } from "./measures/growth.ts";
import { host } from "./measures/host.ts";
import { isolation } from "./measures/isolation.ts";
import { keep } from "./measures/keep.ts";
import { loss } from "./measures/loss.ts";
import { nats } from "./measures/nats.ts";
import { passThrough } from "./measures/pass_through.ts";
import { start } from "./measures/start.ts";
import { writeReadmeTable } from "./readme_table.ts";
import { table } from "./report.ts";
import { type Measure, type Row, withoutHastyGoals } from "./results.ts";
import { SPILLWAYS } from "./subjects.ts";

const MEASURES: readonly Measure[] = [
  passThrough,
  frozenThroughput,
  writeDuration,
  loss,
  keep,
  memory,
  start,
  growth,
  formats,
  idle,
  command,
  host,
  isolation,
  containers,
  nats,
];

function chosen(names: readonly string[], quick: boolean): readonly Measure[] {
  const known = MEASURES.map(({ name }) => name);
  for (const name of names) {
    if (!known.includes(name)) {
      fail(`--only ${name}: no such measure; there are ${known.join(", ")}`);
    }
  }
  return MEASURES.filter(({ name, isLong }) =>
    names.length === 0 ? !(quick && isLong) : names.includes(name)
  );
}

function fail(message: string): never {
  console.error(`bench: ${message}`);
  Deno.exit(2);
}

async function main(): Promise<void> {
  const { values: { quick, json, only } } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      only: { type: "string", multiple: true, default: [] },
    },
  });
  const measures = chosen(only, quick);
  if (SPILLWAYS.length === 0) {
    fail(
      "neither dist/spillway nor dist/spillway-bun is there; run it as deno task bench",
    );
  }
  const machine = thisMachine();
  if (!json) console.log(describe(machine));
  const results = new Map<string, Row[]>();
  const startMs = performance.now();
  const extent = { quick, rounds: quick ? 1 : 3 };
  const alongside = new Map(
    measures.filter((measure) => measure.alongside)
      .map((measure) => [measure, measure.run(extent)]),
  );
  for (const measure of measures) {
    const { name, title } = measure;
    const found = await (alongside.get(measure) ?? measure.run(extent));
    const rows = quick ? withoutHastyGoals(found) : found;
    results.set(name, rows);
    if (!json) console.log(`\n${table(`${name}: ${title}`, rows)}`);
  }
  const seconds = Math.round((performance.now() - startMs) / 1e3);
  if (json) {
    console.log(JSON.stringify({ machine, results: Object.fromEntries(results) }));
  } else console.log(`\n${verdict([...results.values()].flat())} in ${seconds} s`);
  // A glimpse is not worth a picture.
  if (!quick) await writeCharts(results, machine);
  if (!quick && only.length === 0) await writeReadmeTable(results, machine);
}

function verdict(rows: readonly Row[]): string {
  const goals = rows.flatMap(({ goal }) => goal ?? []);
  const met = goals.filter((goal) => goal.met).length;
  return `${met} of ${goals.length} goals met`;
}

await main();
// A thread that a failed run has left in a system call must not keep the bench alive.
Deno.exit(0);
