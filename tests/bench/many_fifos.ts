/** A host with many services: a folder of named pipes, and one program that reads them all. */

import { close, O_NONBLOCK, O_WRONLY, open } from "../../src/system/descriptors.ts";
import { ENXIO } from "../../src/system/errno.ts";
import { mkfifo } from "../../src/system/names.ts";
import { until } from "../end_to_end/run.ts";
import type { Subject } from "./subjects.ts";

export interface Host {
  readonly pid: number;
  /** From the start of the program until it read all pipes. */
  readonly readySeconds: number;
  /** Open for writing, without waiting, in the order of their names. */
  readonly writers: readonly number[];
  /** Where outputs are, by the names of the inputs. */
  readonly outputs: string;
}

export interface HostOrder {
  readonly inputs: number;
  /** `OUTPUTS` stands for the folder of the outputs. */
  readonly args: readonly string[];
  /** Makes what outputs need. */
  prepare?(outputs: string): void;
}

export function nameOf(index: number): string {
  return `s${index}`;
}

/** Runs the program on so many named pipes, each of which has a writer. */
export async function withHost<T>(
  { command }: Subject,
  { inputs, args, prepare }: HostOrder,
  use: (host: Host) => Promise<T>,
): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "spillway-bench-" });
  const [pipes, outputs] = [`${folder}/pipes`, `${folder}/outputs`];
  [pipes, outputs].forEach((path) => Deno.mkdirSync(path));
  const paths = Array.from({ length: inputs }, (_, index) => `${pipes}/${nameOf(index)}`);
  for (const path of paths) mkfifo(path, 0o600);
  prepare?.(outputs);
  const own = args.map((arg) => arg.replace("OUTPUTS", outputs));
  const startMs = performance.now();
  const child = new Deno.Command("bash", {
    args: [
      "-c",
      'ulimit -n 8192; exec "$@"',
      "bash",
      ...command,
      "--fifo",
      pipes,
      ...own,
    ],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const writers: number[] = [];
  try {
    for (const path of paths) {
      let writer = -ENXIO;
      await until(`a reader of ${path}`, () => {
        writer = open(path, O_WRONLY | O_NONBLOCK);
        return writer >= 0;
      }, 1);
      writers.push(writer);
    }
    const readySeconds = (performance.now() - startMs) / 1e3;
    return await use({ pid: child.pid, readySeconds, writers, outputs });
  } finally {
    writers.forEach(close);
    // Twice: outputs that are frozen would keep it.
    child.kill("SIGTERM");
    await new Promise((resolve) => setTimeout(resolve, 100));
    try {
      child.kill("SIGTERM");
    } catch {
      // It has ended.
    }
    await child.status;
    await Deno.remove(folder, { recursive: true });
  }
}
