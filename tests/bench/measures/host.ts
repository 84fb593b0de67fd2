/** What a thousand named pipes in one process cost. */

import { setTimeout as pause } from "node:timers/promises";
import { write } from "../../../src/system/descriptors.ts";
import { addressOf } from "../../../src/system/memory.ts";
import { until } from "../../end_to_end/run.ts";
import { type Host, nameOf, withHost } from "../many_fifos.ts";
import { activityOf, activitySince, cpuSecondsOf, memoryOf } from "../process_stats.ts";
import { atMost, inTurns, type Measure, type Row } from "../results.ts";
import { median } from "../statistics.ts";
import { SPILLWAYS, type Subject } from "../subjects.ts";

const INPUTS = 1000;
const BUSY = 10;
const MIB = 1024 ** 2;
const LINE = new TextEncoder().encode(`${"x".repeat(99)}\n`);
/** A ring that is empty gives its memory back within this time. */
const REST_MS = 10_000;
const SCRAPES = 7;
const PORT = 9469;

interface Found {
  readonly what: string;
  readonly unit: string;
  readonly value: number;
  readonly limit?: number;
  readonly needsTime?: boolean;
}

export const host: Measure = {
  name: "host",
  isLong: true,
  title: `${INPUTS} named pipes of a folder, each with a file and a ring of 1 MiB`,
  async run({ quick, rounds }) {
    const runs = await inTurns(SPILLWAYS, quick ? 1 : rounds, async (subject) => [
      ...await measureMany(subject),
      await costOfLine(subject, quick ? 5 : 20),
    ]);
    return [...runs].flatMap(([subject, found]) => rowsOf(subject, found));
  },
};

function rowsOf(subject: string, rounds: readonly (readonly Found[])[]): Row[] {
  return rounds[0]!.map(({ what, unit, limit, needsTime = false }, at) => {
    const values = rounds.map((round) => round[at]!.value);
    const text = `≤ ${limit} ${unit}`;
    return {
      what,
      subject,
      unit,
      values,
      ...(limit !== undefined && { goal: atMost(limit, text, values, { needsTime }) }),
    };
  });
}

/** What is written is waited for, so nothing of it may be overwritten. */
const FILES = [
  ...["--output", "OUTPUTS/{input}.log", "--capacity", "1MiB", "--when-full", "block"],
];

async function measureMany(subject: Subject): Promise<Found[]> {
  const args = [...FILES, "--metrics", `${PORT}`];
  return await withHost(subject, { inputs: INPUTS, args }, async (host) => {
    const { pid, readySeconds } = host;
    await pause(REST_MS);
    const before = activityOf(pid);
    await pause(REST_MS);
    const { cpuSeconds } = activitySince(before, activityOf(pid));
    const idleBytes = memoryOf(pid).residentBytes;
    const descriptors = Array.from(Deno.readDirSync(`/proc/${pid}/fd`)).length;
    const scrapes = [await scrapeMs("/metrics"), await scrapeMs("/status.json")];
    await fill(host, MIB);
    await pause(REST_MS);
    return [
      { what: "until all are read", unit: "s", value: readySeconds, limit: 1.5 },
      {
        what: "resident memory, idle",
        unit: "MiB",
        value: idleBytes / MIB,
        limit: 130,
      },
      {
        what: "after 1 MiB through each and 10 s of rest",
        unit: "MiB",
        value: memoryOf(pid).residentBytes / MIB,
        limit: 180,
      },
      {
        what: "processor when idle",
        unit: "% of one",
        value: cpuSeconds / (REST_MS / 1e3) * 100,
        limit: 1,
        needsTime: true,
      },
      {
        what: "descriptors beyond one for each input and file",
        unit: "",
        value: descriptors - 2 * INPUTS,
        limit: 64,
      },
      { what: "/metrics", unit: "ms", value: scrapes[0]!, limit: 50, needsTime: true },
      {
        what: "/status.json",
        unit: "ms",
        value: scrapes[1]!,
        limit: 50,
        needsTime: true,
      },
    ];
  });
}

/** Of the whole answer, as curl sees it: in this process fetch takes half as long again. */
async function scrapeMs(path: string): Promise<number> {
  const url = `http://127.0.0.1:${PORT}${path}`;
  const args = ["--silent", "--fail", "--output", "/dev/null"];
  const curl = new Deno.Command("curl", {
    args: [...args, "--write-out", "%{time_total}", url],
  });
  const times: number[] = [];
  for (let scrape = 0; scrape < SCRAPES; scrape++) {
    const { success, stdout } = await curl.output();
    if (!success) throw new Error(`curl cannot get ${url}`);
    times.push(1e3 * Number(new TextDecoder().decode(stdout)));
  }
  return median(times);
}

/** Writes so much into each, and waits until all of it has come out. */
async function fill(
  { writers, outputs }: Host,
  bytes: number,
  inputs = writers.length,
): Promise<number> {
  const lines = Math.floor(bytes / LINE.length);
  const perWrite = 100;
  const part = new Uint8Array(perWrite * LINE.length);
  for (let at = 0; at < part.length; at += LINE.length) part.set(LINE, at);
  const sizes = () =>
    writers.slice(0, inputs).reduce(
      (sum, _, index) => sum + bytesIn(`${outputs}/${nameOf(index)}.log`),
      0,
    );
  const before = sizes();
  let written = 0;
  for (let done = 0; done < lines; done += perWrite) {
    for (const writer of writers.slice(0, inputs)) {
      await until("room in the pipe", () => {
        const count = write(writer, addressOf(part), part.length);
        if (count > 0) written += count;
        return count === part.length;
      }, 1);
    }
  }
  await until("all to come out", () => sizes() - before >= written, 20);
  return written / LINE.length;
}

/** A pipe is read before the file is there that it goes to. */
function bytesIn(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}

/** With ten of a thousand that are busy, against ten alone. */
async function costOfLine(subject: Subject, mebibytes: number): Promise<Found> {
  const secondsPerLine = (inputs: number) =>
    withHost(subject, { inputs, args: FILES }, async (host) => {
      await fill(host, MIB, BUSY);
      const before = cpuSecondsOf(host.pid);
      const lines = await fill(host, mebibytes * MIB, BUSY);
      return (cpuSecondsOf(host.pid) - before) / lines;
    });
  const few = await secondsPerLine(BUSY);
  const many = await secondsPerLine(INPUTS);
  return {
    what: "processor per line, 10 of 1,000 inputs busy, against 10 inputs",
    unit: "×",
    value: many / few,
    limit: 1.2,
    needsTime: true,
  };
}
