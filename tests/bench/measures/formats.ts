/** How fast lines are put into a format, against programs that stamp lines. */

import { megabytesPerSecond, run } from "../pipeline.ts";
import {
  type Extent,
  type Goal,
  inTurns,
  type Measure,
  ratioToBest,
  type Row,
} from "../results.ts";
import { median } from "../statistics.ts";
import { SPILLWAYS, STAMPING_PEERS, type Subject } from "../subjects.ts";

const MIB = 1024 ** 2;
/** The slowest of all takes a third of a second for it. */
const WARM_UP_BYTES = 32 * MIB;
const LINES = [["100-byte", 100], ["1 KiB", 1024]] as const;
const FORMATS = ["raw", "json-file", "cri", "ndjson", "rfc5424"] as const;
/** Those that stamp and write lines as Spillway's formats do; the goal is to be ahead. */
const RIVALS = ["svlogd -tt", "s6-log T"];
/** MB/s of input, the goal for these formats. */
const FAST = 400;
const FAST_FORMATS: readonly string[] = ["json-file", "cri"];

export const formats: Measure = {
  name: "formats",
  title: "Lines put into a format and written to a file in memory, bytes of input",
  async run(extent) {
    const subjects = [...SPILLWAYS.flatMap(formatting), ...STAMPING_PEERS];
    const rows: Row[] = [];
    for (const [name, lineBytes] of extent.quick ? LINES.slice(0, 1) : LINES) {
      const speeds = await inTurns(
        subjects,
        extent.quick ? 1 : 2,
        (subject) => speedOf(subject, lineBytes, extent),
      );
      rows.push(...rowsOf(`${name} lines`, speeds));
    }
    return rows;
  },
};

/** One subject for each format that this build knows. */
function formatting({ name, command }: Subject): Subject[] {
  return FORMATS.filter((format) => knows(command, format)).map((format) => ({
    name: `${name} ${format}`,
    // The writer waits for the format, so that its speed is what is measured.
    command: [...command, "--format", format, "--when-full", "block"],
    version: undefined,
  }));
}

function knows([program]: readonly string[], format: string): boolean {
  return new Deno.Command(program!, {
    args: ["--format", format, "--report", "none"],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).outputSync().success;
}

async function speedOf(
  { command }: Subject,
  lineBytes: number,
  { quick }: Extent,
): Promise<number> {
  return megabytesPerSecond(
    await run({
      command,
      sink: "file",
      load: {
        writeBytes: 64 * 1024,
        lineBytes,
        warmUpBytes: WARM_UP_BYTES,
        totalBytes: (quick ? 64 : 256) * MIB,
        seconds: quick ? 0.2 : 1,
      },
    }),
  );
}

function rowsOf(what: string, speeds: Map<string, number[]>): Row[] {
  const rivals = new Map([...speeds].filter(([name]) => RIVALS.includes(name)));
  return [...speeds].map(([subject, values]): Row => {
    const row = { what, subject, unit: "MB/s", values };
    if (STAMPING_PEERS.some(({ name }) => name === subject)) return row;
    const ratio = ratioToBest(values, rivals);
    return { ...row, ratio, goal: goalOf(subject, values, ratio?.values) };
  });
}

function goalOf(
  subject: string,
  values: readonly number[],
  ratio: readonly number[] | undefined,
): Goal | undefined {
  const ahead = ratio === undefined || median(ratio) > 1;
  if (!FAST_FORMATS.some((format) => subject.endsWith(format))) {
    return ratio && { text: "> 1", met: ahead, needsTime: true };
  }
  return {
    text: `> 1, ≥ ${FAST} MB/s`,
    met: ahead && median(values) >= FAST,
    needsTime: true,
  };
}
