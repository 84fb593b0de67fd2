/** Whether the cost of a byte stays the same as the work grows. */

import { megabytesPerSecond, run, type RunOrder } from "../pipeline.ts";
import { atLeast, type Extent, inTurns, type Measure, type Row } from "../results.ts";
import { SPILLWAYS } from "../subjects.ts";

const KIB = 1024;
const MIB = 1024 ** 2;
/** Under this share of the usual throughput there is a cliff. */
const CLIFF = 0.5;

interface Case {
  readonly what: string;
  readonly args?: readonly string[];
  readonly lineBytes?: number;
  readonly fifos?: number;
}

/** Compared with the first of them. */
const CASES: readonly Case[] = [
  { what: "128-byte lines, 16 MiB of ring, one input" },
  { what: "lines of 20 bytes", lineBytes: 20 },
  { what: "lines of 1 KiB", lineBytes: KIB },
  { what: "lines of 8 KiB", lineBytes: 8 * KIB },
  { what: "lines of 64 KiB", lineBytes: 64 * KIB },
  { what: "1 MiB of ring", args: ["--capacity", "1MiB"] },
  { what: "256 MiB of ring", args: ["--capacity", "256MiB"] },
  { what: "2 GiB of ring", args: ["--capacity", "2GiB"] },
  { what: "4 inputs", fifos: 4 },
  { what: "16 inputs", fifos: 16 },
  { what: "64 inputs", fifos: 64 },
];
const QUICK = new Set([0, 1, 4, 7, 10]);

export const growth: Measure = {
  name: "growth",
  title: "Throughput to /dev/null as the work grows, nothing may be overwritten",
  async run(extent) {
    const cases = CASES.filter((_, at) => !extent.quick || QUICK.has(at));
    const rounds = await inTurns(SPILLWAYS, extent.quick ? 1 : 2, async ({ command }) => {
      const round: number[] = [];
      for (const one of cases) {
        round.push(megabytesPerSecond(await run(orderOf(command, one, extent))));
      }
      return round;
    });
    return cases.flatMap(({ what }, at) =>
      [...rounds].map(([subject, found]) => rowOf(what, subject, found, at))
    );
  },
};

function orderOf(command: readonly string[], one: Case, { quick }: Extent): RunOrder {
  const inputs = one.fifos === undefined ? [] : ["--once", "--capacity", "4MiB"];
  return {
    command: [...command, "--when-full", "block", ...inputs, ...one.args ?? []],
    fifos: one.fifos,
    load: {
      writeBytes: 64 * KIB,
      lineBytes: one.lineBytes ?? 128,
      totalBytes: (quick ? 128 : 384) * MIB,
      seconds: 5,
    },
  };
}

function rowOf(
  what: string,
  subject: string,
  rounds: readonly (readonly number[])[],
  at: number,
): Row {
  const values = rounds.map((round) => round[at]!);
  if (at === 0) return { what, subject, unit: "MB/s", values };
  const ratio = values.map((value, round) => value / rounds[round]![0]!);
  return {
    what,
    subject,
    unit: "MB/s",
    values,
    ratio: { to: "the first", values: ratio },
    goal: atLeast(CLIFF, `≥ ${CLIFF}`, ratio),
  };
}
