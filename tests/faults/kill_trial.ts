/**
 * One run under load that is stopped by SIGTERM at a random moment, once or twice,
 * with a random deadline and a reader of random slowness. What is random comes
 * from a seed, but for what the machine adds.
 */

import { setTimeout as pause } from "node:timers/promises";
import { assert } from "@std/assert";
import { numberedLines } from "../end_to_end/numbered_lines.ts";
import type { Program } from "../end_to_end/programs.ts";
import { type Running, start, summaryIn } from "../end_to_end/run.ts";
import { checkCutOutput } from "./cut_output.ts";
import { Random } from "./random.ts";

/** The writer stops by itself after so much, should no signal ever come. */
const MAX_INPUT_BYTES = 256 * 1024 * 1024;
const CHUNK_LINES = 1000;
/** What a shell says of a program that SIGTERM has ended before it began. */
const KILLED = 128 + 15;

export interface Trial {
  readonly args: readonly string[];
  readonly lineBytes: number;
  readonly signalAfterMs: number;
  /** Undefined: one signal only. */
  readonly secondAfterMs: number | undefined;
  /** The reader's pause after each piece. */
  readonly readPauseMs: number;
  readonly writePauseMs: number;
}

export function trialOf(seed: number): Trial {
  const random = new Random(seed);
  const drain = random.oneOf(["0s", "1ms", "20ms", "100ms", "30s"]);
  return {
    args: [
      ...["--capacity", random.oneOf(["64KiB", "256KiB", "4MiB"])],
      ...[
        "--when-full",
        random.oneOf(["overwrite", "overwrite", "drop-newest", "block"]),
      ],
      ...["--drain-timeout", drain, "--report", "json"],
    ],
    lineBytes: random.oneOf([20, 100, 1000, 5000]),
    signalAfterMs: random.between(0, 150),
    secondAfterMs: random.next() < 0.3 ? random.between(0, 30) : undefined,
    readPauseMs: random.oneOf([0, 0, 1, 20]),
    writePauseMs: random.oneOf([0, 0, 1]),
  };
}

/** @throws Error that names the seed when anything is not as it must be. */
export async function runTrial(program: Program, seed: number): Promise<void> {
  const trial = trialOf(seed);
  try {
    await stopUnderLoad(program, trial);
  } catch (error) {
    const how = JSON.stringify(trial);
    throw new Error(`${program.name}, seed ${seed}: ${how}`, { cause: error });
  }
}

async function stopUnderLoad(program: Program, trial: Trial): Promise<void> {
  const spillway = start(program, trial.args);
  const written = writeUntilEnd(spillway, trial);
  const output = readSlowly(spillway, trial);
  await pause(trial.signalAfterMs);
  await spillway.kill("SIGTERM");
  if (trial.secondAfterMs !== undefined) {
    await pause(trial.secondAfterMs);
    await spillway.kill("SIGTERM");
  }
  const code = await spillway.code;
  await written;
  const stderr = await spillway.stderr;
  // `deno run` catches the signal itself while it loads the program, and ends.
  if (code === KILLED && stderr === "" && (await output).length === 0) return;
  assert(code === 0 || code === 4, `ended with ${code}: ${stderr}`);
  checkCutOutput(await output, summaryIn(stderr), code, trial.lineBytes);
}

async function writeUntilEnd(spillway: Running, trial: Trial): Promise<void> {
  const { lineBytes, writePauseMs } = trial;
  try {
    for (let line = 0; line * lineBytes < MAX_INPUT_BYTES; line += CHUNK_LINES) {
      await spillway.write(numberedLines(line, CHUNK_LINES, lineBytes));
      if (writePauseMs > 0) await pause(writePauseMs);
    }
    await spillway.end();
  } catch (error) {
    // It has ended, as it was asked to.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

async function readSlowly(spillway: Running, trial: Trial): Promise<Uint8Array> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  for await (const piece of spillway.stdout) {
    pieces.push(piece);
    if (trial.readPauseMs > 0 && !spillway.ended) await pause(trial.readPauseMs);
  }
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}
