/**
 * `deno task soak [DURATION]`: a mixed load on each executable for so long, with
 * everything checked all the time. The load is bursts and pauses of numbered
 * lines; the reader is fast, slow or stopped by turns.
 */

import { setTimeout as pause } from "node:timers/promises";
import { assert } from "@std/assert";
import { parseDuration } from "../../src/units.ts";
import { checkConservation, numberedLines } from "../end_to_end/numbered_lines.ts";
import { type Program, PROGRAMS } from "../end_to_end/programs.ts";
import { type Report, type Running, start, summaryIn } from "../end_to_end/run.ts";
import { OutputFollower } from "./output_follower.ts";
import { Random } from "./random.ts";

const DEFAULT_DURATION = "1m";
const LINE_BYTES = 100;
const CHUNK_LINES = 500;
const CAPACITY_BYTES = 4 * 1024 * 1024;
/** How often the counters and the memory are looked at. */
const CHECK_MS = 500;
/** By then the runtime has allocated what it needs: the ring and its own. */
const WARM_UP_SHARE = 0.3;
/** Garbage collections come when they want; more growth than that is a leak. */
const GROWTH_LIMIT_KIB = 24 * 1024;

async function soak(program: Program, durationMs: number, seed: number): Promise<void> {
  const spillway = start(program, [
    ...["--capacity", `${CAPACITY_BYTES}`, "--report", "json"],
  ]);
  const endMs = performance.now() + durationMs;
  const follower = new OutputFollower(LINE_BYTES);
  const reading = read(spillway, follower, new Random(seed), endMs);
  const writing = write(spillway, new Random(seed + 1), endMs);
  const memory = await watch(spillway, durationMs);
  const written = await writing;
  await reading;
  const code = await spillway.code;
  const summary = summaryIn(await spillway.stderr);
  checkConservation(summary);
  assert(code === 0, `ended with ${code}`);
  assert(summary.lines_in === written, `${written} lines were written`);
  assert(summary.lines_out === follower.lines, `${follower.lines} lines came out`);
  assert(summary.lines_overwritten === follower.missingLines);
  const { warmKib, lastKib } = memory;
  console.log(
    `${program.name}: ${written} lines in, ${follower.lines} out, ` +
      `${follower.missingLines} overwritten in ${follower.gaps} gaps; resident memory ` +
      `${warmKib} KiB after the warm-up, ${lastKib} KiB at the end`,
  );
  assert(lastKib - warmKib < GROWTH_LIMIT_KIB, "memory grows");
}

/** Bursts and pauses. Returns how many lines were written. */
async function write(spillway: Running, random: Random, endMs: number): Promise<number> {
  let line = 0;
  while (performance.now() < endMs) {
    for (let chunk = random.oneOf([1, 10, 400]); chunk > 0; chunk--) {
      await spillway.write(numberedLines(line, CHUNK_LINES, LINE_BYTES));
      line += CHUNK_LINES;
    }
    await pause(random.oneOf([0, 1, 20, 200]));
  }
  await spillway.end();
  return line;
}

async function read(
  spillway: Running,
  follower: OutputFollower,
  random: Random,
  endMs: number,
): Promise<void> {
  for await (const piece of spillway.stdout) {
    follower.take(piece);
    const slow = random.between(1, 200) === 1 && performance.now() < endMs;
    if (slow) await pause(random.oneOf([1, 50, 1000]));
  }
  follower.end();
}

/** Looks at the counters and the memory until the time is over. */
async function watch(
  spillway: Running,
  durationMs: number,
): Promise<{ warmKib: number; lastKib: number }> {
  const startMs = performance.now();
  let [warmKib, lastKib] = [0, 0];
  // The writer ends the input, and with it the program, when the time is over.
  while (performance.now() - startMs < durationMs - 2 * CHECK_MS) {
    await pause(CHECK_MS);
    await spillway.kill("SIGUSR2");
    const status = spillway.reports.findLast(({ event }) => event === "status");
    if (status !== undefined) checkStatus(status);
    lastKib = residentKib(spillway.pid);
    if (performance.now() - startMs < durationMs * WARM_UP_SHARE) {
      warmKib = Math.max(warmKib, lastKib);
    }
  }
  return { warmKib, lastKib };
}

/** At every moment what came in is out, lost or in memory, which is bounded. */
function checkStatus(status: Report): void {
  const of = (name: string) => Number(status[name]);
  for (const unit of ["lines", "bytes"]) {
    const rest = of(`${unit}_in`) - of(`${unit}_out`) - of(`${unit}_overwritten`) -
      of(`${unit}_dropped`) - of(`${unit}_rejected`);
    assert(rest === of(`${unit}_buffered`), JSON.stringify(status));
  }
  assert(of("bytes_buffered") < 2 * CAPACITY_BYTES, JSON.stringify(status));
}

function residentKib(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s*(\d+)/m.exec(status)![1]);
}

const durationMs = parseDuration(Deno.args[0] ?? DEFAULT_DURATION);
const seed = Number(Deno.args[1] ?? Math.floor(Math.random() * 2 ** 31));
const programs = PROGRAMS.filter(({ missing }) => !missing);
console.log(`${programs.length} programs for ${durationMs / 1000} s each, seed ${seed}`);
for (const program of programs) await soak(program, durationMs, seed);
