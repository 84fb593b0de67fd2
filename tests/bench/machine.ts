/** When, where and with what was measured. */

import { availableParallelism, cpus, loadavg, release, totalmem } from "node:os";
import { MISSING, VERSIONS } from "./subjects.ts";

export interface Machine {
  readonly date: string;
  readonly processor: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly kernel: string;
  /** Programs that wanted to run in the last minute; over the cores, results suffer. */
  readonly load: number;
  readonly versions: Readonly<Record<string, string>>;
  readonly missing: readonly string[];
}

export function thisMachine(): Machine {
  return {
    date: new Date().toISOString().slice(0, 10),
    processor: cpus()[0]?.model.replaceAll(/\s+/g, " ") ?? "unknown",
    cores: availableParallelism(),
    memoryGib: Math.round(totalmem() / 1024 ** 3),
    kernel: `Linux ${release()}`,
    load: loadavg()[0]!,
    versions: Object.fromEntries(VERSIONS),
    missing: MISSING,
  };
}

export function describe(machine: Machine): string {
  const { date, processor, cores, memoryGib, kernel, load, versions, missing } = machine;
  const programs = Object.entries(versions).map(([name, version]) =>
    `${name} (${version})`
  );
  return [
    `${date}, ${cores} × ${processor}, ${memoryGib} GiB, ${kernel}, load ${
      load.toFixed(1)
    }`,
    `Measured: ${programs.join(", ")}`,
    ...missing.length === 0 ? [] : [`Missing, and not measured: ${missing.join(", ")}`],
  ].join("\n");
}
