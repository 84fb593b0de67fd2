/**
 * FIFOs that are held open and written to all the time, and one run after the other that
 * reads them with --keep and is ended at a random moment, by SIGKILL or SIGTERM: what all
 * of them have written together is what was written to the FIFOs. What is random comes
 * from a seed, but for what the machine adds.
 */

import { assertEquals } from "@std/assert";
import { numberedLines } from "../end_to_end/numbered_lines.ts";
import type { Program } from "../end_to_end/programs.ts";
import { type Running, start, summaryIn } from "../end_to_end/run.ts";
import { mkfifo } from "../../src/system/names.ts";
import type { Written } from "./joined_lines.ts";
import { Random } from "./random.ts";
import {
  kindOf,
  RESTART_KIND_NAMES,
  type RestartKindName,
  type RestartOutput,
} from "./restart_outputs.ts";

/** Each takes the test some microseconds. */
const MAX_WRITES = 5000;

export interface RestartTrial extends Written {
  readonly kind: RestartKindName;
  readonly args: readonly string[];
  readonly maxWriteBytes: number;
  /** How each run but the last ends, and after how long. */
  readonly ends: readonly { readonly signal: Deno.Signal; readonly afterMs: number }[];
  /** The output takes nothing until the last run. */
  readonly frozen: boolean;
}

/** @param kind where it writes to; random where it is not given */
export function restartTrialOf(seed: number, kind?: RestartKindName): RestartTrial {
  const random = new Random(seed);
  const name = kind ?? random.oneOf(RESTART_KIND_NAMES);
  const { isFile = false, unmarked = false, maxLines, maxBytes } = kindOf(name);
  const overwrites = !unmarked && random.next() < 0.4;
  const capacity = random.oneOf(["64KiB", "1MiB", "4MiB"]);
  const lineBytes = random.oneOf([20, 100, 1000, 5000]);
  const maxWriteBytes = random.oneOf([100, 4096, 100_000]);
  const bytes = Math.min(
    ...[random.oneOf([1e6, 5e6]), MAX_WRITES * maxWriteBytes, maxBytes ?? Infinity],
  );
  return {
    kind: name,
    args: [
      ...["--capacity", capacity, "--when-full", overwrites ? "overwrite" : "block"],
      ...["--report", "json"],
    ],
    overwrites,
    lineBytes,
    lines: Math.min(Math.ceil(bytes / lineBytes), maxLines ?? Infinity),
    maxWriteBytes,
    ends: Array.from({ length: random.between(1, 3) }, () => ({
      signal: random.oneOf(["SIGKILL", "SIGKILL", "SIGTERM"]),
      afterMs: random.between(0, 400),
    })),
    frozen: !isFile && random.next() < 0.3,
  };
}

/** @throws Error that names the seed when anything is not as it must be. */
export async function runRestartTrial(
  program: Program,
  seed: number,
  trial = restartTrialOf(seed),
): Promise<void> {
  const folder = await Deno.makeTempDir({ dir: "/dev/shm", prefix: "spillway-test-" });
  const output = kindOf(trial.kind).open(folder);
  try {
    await output.start(trial.frozen);
    await new Restarts(program, trial, folder, output, seed).run();
  } catch (error) {
    const how = JSON.stringify(trial);
    throw new Error(`${program.name}, seed ${seed}: ${how}`, { cause: error });
  } finally {
    await output.close();
    await Deno.remove(folder, { recursive: true });
  }
}

class Restarts {
  readonly #program: Program;
  readonly #trial: RestartTrial;
  readonly #folder: string;
  readonly #output: RestartOutput;
  readonly #random: Random;
  readonly #inputs: readonly string[];
  readonly #followed: Promise<void>[] = [];

  constructor(
    program: Program,
    trial: RestartTrial,
    folder: string,
    output: RestartOutput,
    seed: number,
  ) {
    this.#program = program;
    this.#trial = trial;
    this.#folder = folder;
    this.#output = output;
    this.#random = new Random(seed + 1);
    this.#inputs = kindOf(trial.kind).two ? ["fifo", "other"] : ["fifo"];
  }

  async run(): Promise<void> {
    const { ends } = this.#trial;
    const fifos = await Promise.all(this.#inputs.map((name) => this.#makeFifo(name)));
    try {
      const written = Promise.all(fifos.map((fifo) => this.#write(fifo)));
      for (const { signal, afterMs } of ends) {
        const spillway = this.#start("0s");
        await new Promise((resolve) => setTimeout(resolve, afterMs));
        if (signal === "SIGKILL") Deno.kill(spillway.pid, signal);
        else await spillway.kill(signal);
        this.#checkEnd(signal, await spillway.code, await spillway.stderr);
      }
      this.#output.thaw();
      await this.#goOn(this.#start("30s"), written);
    } finally {
      for (const fifo of fifos) fifo.close();
    }
    await Promise.all(this.#followed);
    await this.#output.check(this.#trial, ends.length);
  }

  /** The last run, which takes all that is still to come, and leaves nothing. */
  async #goOn(spillway: Running, written: Promise<unknown>): Promise<void> {
    await written;
    await spillway.counted("that it runs", () => true);
    await spillway.kill("SIGTERM");
    const [code, stderr] = [await spillway.code, await spillway.stderr];
    assertEquals(code, 0, stderr);
    assertEquals(summaryIn(stderr).bytes_kept, 0, stderr);
    const kept = [...Deno.readDirSync(`${this.#folder}/kept`)];
    assertEquals(kept.length, 0, "all is removed");
  }

  #checkEnd(signal: Deno.Signal, code: number, stderr: string): void {
    if (signal === "SIGKILL") {
      assertEquals(code, 128 + 9, stderr);
      return;
    }
    // `deno run` catches the signal itself while it loads the program, and ends.
    if (code === 128 + 15 && stderr === "") return;
    assertEquals(code, 0, stderr);
    const summary = summaryIn(stderr);
    const of = (name: string) => Number(summary[name]);
    for (const unit of ["lines", "bytes"]) {
      assertEquals(
        of(`${unit}_in`) + of(`${unit}_recovered`),
        of(`${unit}_out`) + of(`${unit}_overwritten`) + of(`${unit}_kept`),
        stderr,
      );
    }
  }

  async #makeFifo(name: string): Promise<Deno.FsFile> {
    mkfifo(`${this.#folder}/${name}`, 0o600);
    return await Deno.open(`${this.#folder}/${name}`, { read: true, write: true });
  }

  #start(drainTimeout: string): Running {
    const inputs = this.#inputs.flatMap((name) => [
      "--fifo",
      `${name}=${this.#folder}/${name}`,
    ]);
    const spillway = start(this.#program, [
      ...[...inputs, "--keep", `${this.#folder}/kept`],
      ...["--drain-timeout", drainTimeout],
      ...this.#output.args,
      ...this.#trial.args,
    ]);
    this.#followed.push(this.#output.follow(spillway));
    return spillway;
  }

  /** In pieces that have nothing to do with lines. */
  async #write(fifo: Deno.FsFile): Promise<void> {
    const { lines, lineBytes, maxWriteBytes } = this.#trial;
    const text = new TextEncoder().encode(numberedLines(0, lines, lineBytes));
    for (let at = 0; at < text.length;) {
      const end = at + this.#random.between(1, maxWriteBytes);
      at += await fifo.write(text.subarray(at, end));
    }
  }
}
