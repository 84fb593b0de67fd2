/** How fast bytes go through, and whether all of them arrive. */

import { megabytesPerSecond, type Run, run } from "../pipeline.ts";
import {
  atLeast,
  type Extent,
  type Goal,
  inTurns,
  type Measure,
  ratioToBest,
  type Row,
} from "../results.ts";
import { COPYING_PEERS, isSpillway, SPILLWAYS } from "../subjects.ts";

const SUBJECTS = [...SPILLWAYS, ...COPYING_PEERS];
const MIB = 1024 ** 2;
const WARM_UP_BYTES = 128 * MIB;
const LINE_BYTES = 100;
const SINKS = [["/dev/null", undefined], ["a pipe reader", "greedy"]] as const;
const WRITES = [["64 KiB", 64 * 1024], ["4 KiB", 4 * 1024]] as const;
/** What the goals compare with, by the size of the writes. */
const RIVALS = { "64 KiB": ["cat", "pv", "mbuffer"], "4 KiB": ["mbuffer"] };

export const passThrough: Measure = {
  name: "pass-through",
  title: "Pass-through, 100-byte lines",
  async run(extent) {
    const rows: Row[] = [];
    for (const [sinkName, sink] of SINKS) {
      for (const [writeName, writeBytes] of WRITES) {
        const what = `to ${sinkName}, ${writeName} writes`;
        const totalBytes = (extent.quick ? 128 : 512) * MIB;
        const runs = await inTurns(SUBJECTS, extent.rounds, ({ command }) =>
          run({
            command,
            sink,
            load: {
              writeBytes,
              lineBytes: LINE_BYTES,
              warmUpBytes: WARM_UP_BYTES,
              totalBytes,
              seconds: 10,
            },
          }));
        rows.push(...rowsOf(what, runs, RIVALS[writeName]));
      }
    }
    return [...rows, ...await atFullLength(extent)];
  },
};

function rowsOf(
  what: string,
  runs: Map<string, Run[]>,
  rivals: readonly string[],
): Row[] {
  const speeds = new Map(
    [...runs].map(([name, rounds]) => [name, rounds.map(megabytesPerSecond)]),
  );
  const others = new Map([...speeds].filter(([name]) => rivals.includes(name)));
  const rows: Row[] = [];
  for (const [subject, values] of speeds) {
    const ratio = isSpillway(subject) ? ratioToBest(values, others) : undefined;
    const goal = ratio === undefined ? undefined : atLeast(1, "≥ 1", ratio.values);
    rows.push({ what, subject, unit: "MB/s", values, ratio, goal });
  }
  for (const [subject, rounds] of runs) {
    const values = rounds.map(({ load, cpuSeconds }) =>
      cpuSeconds / load.measuredBytes * 1e9
    );
    rows.push({ what, subject, unit: "CPU s/GB", values });
  }
  for (const [subject, rounds] of runs) {
    if (isSpillway(subject)) rows.push(lossRow(what, subject, rounds));
  }
  return rows;
}

/** By what the reader got; by the program's own report where nobody reads. */
function lossRow(what: string, subject: string, runs: readonly Run[]): Row {
  const values = runs.map(({ load, taken, summary }) => {
    const arrived = taken === undefined ? Number(summary?.["bytes_out"]) : taken.bytes;
    return (load.bytes - arrived) / load.bytes * 100;
  });
  const goal: Goal = { text: "0", met: values.every((value) => value === 0) };
  return { what, subject, unit: "% lost", values, goal };
}

/** 4 GiB at full speed: not one line may be lost. */
async function atFullLength({ quick }: Extent): Promise<Row[]> {
  const gibibytes = quick ? 1 : 4;
  const runs = await inTurns(SPILLWAYS, 1, ({ command }) =>
    run({
      command,
      load: {
        writeBytes: 64 * 1024,
        lineBytes: LINE_BYTES,
        totalBytes: gibibytes * 1024 * MIB,
        seconds: 30,
      },
    }));
  return [...runs].map(([subject, rounds]) => {
    const values = rounds.map(({ load, summary }) =>
      load.lines - Number(summary?.["lines_out"])
    );
    return {
      what: `${gibibytes} GiB to /dev/null at full speed`,
      subject,
      unit: "lines lost",
      values,
      goal: { text: "0", met: values.every((value) => value === 0) },
    };
  });
}
