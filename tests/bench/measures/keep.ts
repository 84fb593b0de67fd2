/** What it costs to keep the ring in a file: in memory, and on a disk. */

import {
  megabytesPerSecond,
  type Run,
  run,
  type RunOrder,
  writtenPerSecond,
} from "../pipeline.ts";
import {
  atLeast,
  inTurns,
  type Measure,
  type Ratio,
  ratioToBest,
  type Row,
} from "../results.ts";
import { quantile } from "../statistics.ts";
import { SPILLWAYS, type Subject } from "../subjects.ts";

const MIB = 1024 ** 2;
const WARM_UP_BYTES = 128 * MIB;
const LINE_BYTES = 100;
const WRITE_BYTES = 64 * 1024;
const BYTES_PER_SECOND = 100e6;

/** Where the file is; `FOLDER` is one in memory, see `run`. */
const PLACES = ["no file", "in memory", "on a disk"] as const;
type Place = typeof PLACES[number];

const OUTPUTS = [
  { name: "to /dev/null", sink: undefined, speedOf: megabytesPerSecond },
  { name: "output frozen", sink: "frozen", speedOf: writtenPerSecond },
] as const;

export const keep: Measure = {
  name: "keep",
  title: "With --keep: throughput, and how long the writer waits at 100 MB/s",
  async run({ quick, rounds }) {
    const rows: Row[] = [];
    for (const { name, sink, speedOf } of OUTPUTS) {
      const runs = await inAllPlaces(rounds, {
        sink,
        load: {
          writeBytes: WRITE_BYTES,
          lineBytes: LINE_BYTES,
          warmUpBytes: WARM_UP_BYTES,
          totalBytes: (quick ? 128 : 1024) * MIB,
          seconds: 10,
        },
      });
      rows.push(...speedRows(name, runs, speedOf));
    }
    const seconds = quick ? 2 : 10;
    const paced = await inAllPlaces(quick ? 1 : 2, {
      sink: "frozen",
      load: {
        writeBytes: WRITE_BYTES,
        lineBytes: LINE_BYTES,
        totalBytes: seconds * BYTES_PER_SECOND,
        seconds: 2 * seconds,
        bytesPerSecond: BYTES_PER_SECOND,
      },
    });
    return [...rows, ...waitRows(paced)];
  },
};

/** Runs of each program and place, by `nameOf`. */
async function inAllPlaces(
  rounds: number,
  order: Omit<RunOrder, "command">,
): Promise<Map<string, Run[]>> {
  const places = new Map<string, Place>();
  const subjects = SPILLWAYS.flatMap((subject) =>
    PLACES.map((place): Subject => {
      const name = nameOf(subject, place);
      places.set(name, place);
      return { ...subject, name };
    })
  );
  return await inTurns(
    subjects,
    rounds,
    ({ name, command }) => keeping(places.get(name)!, command, order),
  );
}

function nameOf({ name }: Subject, place: Place): string {
  return `${name}, ${place}`;
}

async function keeping(
  place: Place,
  command: readonly string[],
  order: Omit<RunOrder, "command">,
): Promise<Run> {
  if (place === "no file") return await run({ ...order, command });
  if (place === "in memory") {
    return await run({ ...order, command: [...command, "--keep", "FOLDER"] });
  }
  const folder = await Deno.makeTempDir({ dir: "/var/tmp", prefix: "spillway-bench-" });
  try {
    return await run({ ...order, command: [...command, "--keep", folder] });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function speedRows(
  what: string,
  runs: Map<string, Run[]>,
  speedOf: (run: Run) => number,
): Row[] {
  return SPILLWAYS.flatMap((subject) => {
    const speeds = (place: Place) => runs.get(nameOf(subject, place))!.map(speedOf);
    const plain = new Map([[nameOf(subject, "no file"), speeds("no file")]]);
    return PLACES.map((place): Row => {
      const values = speeds(place);
      const ratio: Ratio | undefined = place === "no file"
        ? undefined
        : ratioToBest(values, plain);
      const goal = place === "in memory"
        ? atLeast(0.9, "≥ 0.9", ratio!.values)
        : undefined;
      return { what, subject: nameOf(subject, place), unit: "MB/s", values, ratio, goal };
    });
  });
}

function waitRows(runs: Map<string, Run[]>): Row[] {
  return [...runs].flatMap(([subject, rounds]) =>
    ([["p99.9", 0.999], ["longest", 1]] as const).map(([name, q]): Row => ({
      what: `write(2) at 100 MB/s, ${name}`,
      subject,
      unit: "ms",
      values: rounds.map(({ load }) => quantile(load.writeMicros, q) / 1e3),
    }))
  );
}
