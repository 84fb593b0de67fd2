/** What a container notices of a log that nobody takes: nothing, it should be. */

import { CANNOT_RUN, Containerd } from "../../end_to_end/containerd.ts";
import { until } from "../../end_to_end/run.ts";
import { atMost, inTurns, type Measure, type Ratio, type Row } from "../results.ts";
import { isSpillway, SPILLWAYS, type Subject } from "../subjects.ts";

const LINE = "x".repeat(99);
/** Shell scripts that write so many lines, 100 bytes each. */
const WRITERS: readonly (readonly [string, (lines: number) => string])[] = [
  [
    "one process that makes lines (awk)",
    (lines) => `awk 'BEGIN { for (i = 0; i < ${lines}; i++) print "${LINE}" }'`,
  ],
  [
    "two that copy them as fast as they can (yes | head)",
    (lines) => `yes ${LINE} | head -n ${lines}`,
  ],
];
/** How much longer a container may take than with its output thrown away. */
const MAX_RATIO = 1.5;

/** What a pipe costs whoever reads it. */
const SHIM: Subject = {
  name: "shim to /dev/null",
  command: [],
  version: undefined,
};

const LOGGING_OFF: Subject = {
  name: "logging off",
  command: [],
  version: undefined,
};

export const containers: Measure = {
  name: "containers",
  isLong: true,
  title: "Time until a container has written its output, while nobody takes its log",
  run: ({ quick, rounds }) => CANNOT_RUN === undefined ? measure(quick, rounds) : none(),
};

/** Containers need root, and programs that a machine may not have. */
function none(): Promise<Row[]> {
  console.error(`bench: no containers here: ${CANNOT_RUN}`);
  return Promise.resolve([]);
}

async function measure(quick: boolean, rounds: number): Promise<Row[]> {
  const megabytes = quick ? 100 : 500;
  const rows: Row[] = [];
  for (const [writer, script] of WRITERS) {
    await Containerd.use(async (containerd) => {
      const found = await inTurns(
        [...SPILLWAYS, SHIM, LOGGING_OFF],
        rounds,
        (subject, round) =>
          secondsToWrite(containerd, subject, round, script(megabytes * 10_000)),
      );
      rows.push(...rowsOf(`${megabytes} MB from ${writer}`, found));
    });
  }
  return rows;
}

function rowsOf(what: string, found: ReadonlyMap<string, number[]>): Row[] {
  const off = found.get(LOGGING_OFF.name)!;
  return [...found].map(([subject, values]) => {
    const ratio: Ratio | undefined = subject === LOGGING_OFF.name
      ? undefined
      : { to: LOGGING_OFF.name, values: values.map((value, at) => value / off[at]!) };
    const goal = ratio && isSpillway(subject)
      ? atMost(MAX_RATIO, `≤ ${MAX_RATIO}`, ratio.values, { needsTime: true })
      : undefined;
    return { what, subject, unit: "s", values, ratio, goal };
  });
}

/** From the start of the container, with that of its logging binary. */
async function secondsToWrite(
  containerd: Containerd,
  { name, command }: Subject,
  round: number,
  write: string,
): Promise<number> {
  const id = `${name.replaceAll(/\W+/g, "-")}-${round}`;
  const written = `written-${id}`;
  const script = `${write}; echo > /${written}`;
  const fifo = `${containerd.logs}/${id}`;
  const program = { name, command, missing: false };
  const args = { "--output": `fifo:${fifo}`, "--drain-timeout": "0s" };
  await new Deno.Command("mkfifo", { args: [fifo] }).output();
  // Somebody has it open, and reads nothing.
  const reader = await Deno.open(fifo, { read: true, write: true });
  const startMs = performance.now();
  const running = isSpillway(name)
    ? containerd.run(id, script, program, args)
    : name === SHIM.name
    ? containerd.runWithFile(id, script, "/dev/null")
    : containerd.runWithoutLog(id, script);
  await until(
    "the container to have written all",
    () => Deno.stat(`${containerd.root}/${written}`).then(() => true, () => false),
  );
  const seconds = (performance.now() - startMs) / 1e3;
  const { code, stderr } = await running;
  reader.close();
  if (code !== 0) throw new Error(`the container failed: ${stderr}`);
  return seconds;
}
