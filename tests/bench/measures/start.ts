/** What it takes to start, and to end. */

import { makeBareExecutables } from "../bare_executables.ts";
import { inFolder } from "../pipeline.ts";
import { atMost, type Extent, inTurns, type Measure, type Row } from "../results.ts";
import { SPILLWAYS, type Subject } from "../subjects.ts";
import { withWaitingFifo } from "../waiting_fifo.ts";

/** How much more than what a program takes that does nothing. */
const LIMIT = 1.3;

export const start: Measure = {
  name: "start",
  title: "From start to the first byte, and to the end of an empty input",
  run: async (extent) => [...await toFirstByte(extent), ...await toEnd(extent)],
};

const starts = ({ quick }: Extent) => quick ? 5 : 25;

async function toFirstByte(extent: Extent): Promise<Row[]> {
  const runs = await inTurns(
    SPILLWAYS,
    starts(extent),
    (subject) =>
      withWaitingFifo(subject, ({ readAfterMs }) => Promise.resolve(readAfterMs)),
  );
  return [...runs].map(([subject, values]) => ({
    what: "a line waits in the FIFO",
    subject,
    unit: "ms",
    values,
    goal: atMost(100, "≤ 100 ms", values, { needsTime: true }),
  }));
}

/** Beside an executable of the same runtime that starts two threads, which do nothing. */
function toEnd(extent: Extent): Promise<Row[]> {
  return inFolder(async (folder) => {
    const bare = await makeBareExecutables(folder);
    const runs = await inTurns(
      [...SPILLWAYS, ...bare.values()],
      starts(extent),
      (subject) => timed(subject),
    );
    const rows: Row[] = [];
    for (const { what, of, needsTime } of TIMES) {
      for (const [subject, times] of runs) {
        const values = times.map(of);
        const to = bare.get(subject)?.name;
        const ratio = to === undefined ? undefined : {
          to,
          values: values.map((value, round) => value / of(runs.get(to)![round]!)),
        };
        const goal = ratio && atMost(LIMIT, `≤ ${LIMIT}`, ratio.values, { needsTime });
        rows.push({
          what: `an empty input, ${what}`,
          subject,
          unit: "ms",
          values,
          ratio,
          goal,
        });
      }
    }
    return rows;
  });
}

interface Times {
  readonly wallMs: number;
  readonly processorMs: number;
}

/** By the clock a few starts show the load of the machine as well. */
const TIMES = [
  { what: "start to end", of: ({ wallMs }: Times) => wallMs, needsTime: true },
  {
    what: "processor time",
    of: ({ processorMs }: Times) => processorMs,
    needsTime: false,
  },
];

/** By the shell, which knows what a program has used when it has ended. */
async function timed({ command }: Subject): Promise<Times> {
  const { stderr } = await new Deno.Command("bash", {
    args: ["-c", 'TIMEFORMAT="%R %U %S"; time "$@" 2>/dev/null', "bash", ...command],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  const [wall, user, system] = new TextDecoder().decode(stderr).trim().split(" ")
    .map((seconds) => Number(seconds) * 1e3);
  return { wallMs: wall!, processorMs: user! + system! };
}
