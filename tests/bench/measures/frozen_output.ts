/** What the writer notices of an output that takes nothing: nothing, it should be. */

import { type Run, run, type RunOrder, writtenPerSecond } from "../pipeline.ts";
import {
  atLeast,
  atMost,
  type Extent,
  type Goal,
  inTurns,
  type Measure,
  ratioToBest,
  type Row,
} from "../results.ts";
import { quantile } from "../statistics.ts";
import { isSpillway, SPILLWAYS, type Subject } from "../subjects.ts";

const MIB = 1024 ** 2;
const WARM_UP_BYTES = 128 * MIB;
const LINE_BYTES = 100;
const WRITES = [["64 KiB", 64 * 1024], ["4 KiB", 4 * 1024]] as const;
/** The writer's yardstick: a reader that never stops. */
const YARDSTICK: Subject = {
  name: "dd to /dev/null",
  command: ["dd", "bs=1M", "of=/dev/null", "status=none"],
  version: undefined,
};
const SUBJECTS = [...SPILLWAYS, YARDSTICK];

export const frozenThroughput: Measure = {
  name: "frozen",
  title: "Writer's throughput while the output is frozen, 16 MiB of ring",
  async run({ quick, rounds }) {
    const rows: Row[] = [];
    for (const [name, writeBytes] of WRITES) {
      const runs = await inTurns(SUBJECTS, rounds, (subject) =>
        run({
          ...frozen(subject),
          load: {
            writeBytes,
            lineBytes: LINE_BYTES,
            warmUpBytes: WARM_UP_BYTES,
            totalBytes: (quick ? 256 : 2048) * MIB,
            seconds: 10,
          },
        }));
      rows.push(
        ...throughputRows(`${quick ? "256 MiB" : "2 GiB"} in ${name} writes`, runs),
      );
    }
    return rows;
  },
};

/** The yardstick gets /dev/null: frozen, it would only show that it blocks. */
function frozen({ name, command }: Subject): Pick<RunOrder, "command" | "sink"> {
  return { command, sink: isSpillway(name) ? "frozen" : undefined };
}

function throughputRows(what: string, runs: Map<string, Run[]>): Row[] {
  const speeds = new Map(
    [...runs].map(([name, rounds]) => [name, rounds.map(writtenPerSecond)]),
  );
  const yardstick = new Map([[YARDSTICK.name, speeds.get(YARDSTICK.name)!]]);
  return [...speeds].map(([subject, values]) => {
    const ratio = isSpillway(subject) ? ratioToBest(values, yardstick) : undefined;
    const goal = ratio && atLeast(0.9, "≥ 0.9", ratio.values);
    return { what, subject, unit: "MB/s", values, ratio, goal };
  });
}

const BYTES_PER_SECOND = 100e6;
/** Just-in-time compilers are at work for so long; told apart in the results. */
const START_SECONDS = 1;

export const writeDuration: Measure = {
  name: "write-duration",
  title: "Duration of write(2) at 100 MB/s while the output is frozen",
  async run(extent) {
    const rows: Row[] = [];
    for (const [name, writeBytes] of extent.quick ? WRITES.slice(1) : WRITES) {
      const runs = await inTurns(
        SUBJECTS,
        extent.quick ? 1 : 2,
        (subject) => run({ ...frozen(subject), load: pacedLoad(writeBytes, extent) }),
      );
      for (const [subject, rounds] of runs) {
        rows.push(...durationRows(`${name} writes`, subject, rounds));
      }
    }
    return rows;
  },
};

function pacedLoad(writeBytes: number, { quick }: Extent): RunOrder["load"] {
  const seconds = START_SECONDS + (quick ? 0.5 : 3);
  return {
    writeBytes,
    lineBytes: LINE_BYTES,
    totalBytes: seconds * BYTES_PER_SECOND,
    seconds: 2 * seconds,
    bytesPerSecond: BYTES_PER_SECOND,
    burstMs: 1,
  };
}

function durationRows(what: string, subject: string, runs: readonly Run[]): Row[] {
  const starting = runs.map((run) => durationsMs(run, 0, START_SECONDS));
  const steady = runs.map((run) => durationsMs(run, START_SECONDS, Infinity));
  const row = (
    of: string,
    rounds: readonly Float32Array[],
    q: number,
    limit?: number,
  ): Row => {
    const values = rounds.map((durations) => quantile(durations, q));
    const goal: Goal | undefined = limit === undefined || !isSpillway(subject)
      ? undefined
      : atMost(limit, `≤ ${limit} ms`, values, { needsTime: true });
    return { what: `${what}: ${of}`, subject, unit: "ms", values, goal };
  };
  return [
    row("median", steady, 0.5),
    row("p99", steady, 0.99),
    row("p99.9", steady, 0.999, 1),
    row("longest", steady, 1, 10),
    row("longest in the first second", starting, 1),
  ];
}

function durationsMs(
  { load }: Run,
  fromSeconds: number,
  toSeconds: number,
): Float32Array {
  return load.writeMicros.filter((_, at) =>
    load.writeEnds[at]! >= fromSeconds * 1e6 && load.writeEnds[at]! < toSeconds * 1e6
  ).map((micros) => micros / 1e3);
}
