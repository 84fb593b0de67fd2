/** How long a line takes beside outputs that are frozen, and beside a flood. */

import {
  close,
  O_NONBLOCK,
  O_RDONLY,
  open,
  read,
  write,
} from "../../../src/system/descriptors.ts";
import { addressOf } from "../../../src/system/memory.ts";
import { mkfifo } from "../../../src/system/names.ts";
import { poll, POLLIN } from "../../../src/system/poll.ts";
import { type Host, nameOf, withHost } from "../many_fifos.ts";
import { atMost, inTurns, type Measure, type Row } from "../results.ts";
import { quantile } from "../statistics.ts";
import { SPILLWAYS, type Subject } from "../subjects.ts";

const INPUTS = 1000;
/** Half of them without a reader, half with one that does not read. */
const FROZEN = 10;
/** The inputs whose lines are timed come after those that may be frozen or flooded. */
const TIMED = 50;
const MAX_RATIO = 2;
const DEADLINE_MS = 10_000;
const LINE = new TextEncoder().encode(`${"x".repeat(99)}\n`);

type Way = "none frozen" | "10 of 1,000 frozen" | "one writer at full speed";
const WAYS: readonly Way[] = [
  "none frozen",
  "10 of 1,000 frozen",
  "one writer at full speed",
];

export const isolation: Measure = {
  name: "isolation",
  isLong: true,
  title: `A line from its write to its output's reader, p99.9, with ${INPUTS} inputs`,
  async run({ quick, rounds }) {
    const samples = quick ? 1000 : 5000;
    const runs = await inTurns(SPILLWAYS, quick ? 1 : rounds, async (subject) => {
      const found: number[] = [];
      for (const way of WAYS) found.push(await delayMs(subject, way, samples));
      return found;
    });
    return [...runs].flatMap(([subject, found]) =>
      WAYS.map((way, at) => rowOf(subject, way, found, at))
    );
  },
};

function rowOf(subject: string, what: Way, rounds: readonly number[][], at: number): Row {
  const values = rounds.map((round) => round[at]!);
  if (at === 0) return { what, subject, unit: "ms", values };
  const ratio = { to: WAYS[0]!, values: rounds.map((round) => round[at]! / round[0]!) };
  const goal = atMost(MAX_RATIO, `≤ ${MAX_RATIO}`, ratio.values, { needsTime: true });
  return { what, subject, unit: "ms", values, ratio, goal };
}

/** The 99.9th percentile. */
async function delayMs(subject: Subject, way: Way, samples: number): Promise<number> {
  const readers: number[] = [];
  const frozen = way === "10 of 1,000 frozen" ? FROZEN : 0;
  const order = {
    inputs: INPUTS,
    args: ["--output", "fifo:OUTPUTS/{input}", "--capacity", "1MiB"],
    prepare: (outputs: string) => {
      for (let index = 0; index < INPUTS; index++) {
        const path = `${outputs}/${nameOf(index)}`;
        mkfifo(path, 0o600);
        const isTimed = index >= FROZEN && index < FROZEN + TIMED;
        const isStuck = index < frozen && index % 2 === 0;
        if (isTimed || isStuck) readers[index] = open(path, O_RDONLY | O_NONBLOCK);
      }
    },
  };
  try {
    return await withHost(subject, order, async (host) => {
      const flood = way === "one writer at full speed" ? startFlood(host) : undefined;
      const delays = timeLines(host, readers, frozen, samples);
      await flood?.end();
      return quantile(delays, 0.999);
    });
  } finally {
    readers.forEach(close);
  }
}

/** Lines through the timed inputs, one after the other. */
function timeLines(
  { writers }: Host,
  readers: readonly number[],
  frozen: number,
  samples: number,
): number[] {
  const buffer = new Uint8Array(4096);
  const delays: number[] = [];
  for (let sample = 0; sample < samples; sample++) {
    const index = FROZEN + sample % TIMED;
    // What is frozen is not idle: its ring is full, and overwritten.
    if (frozen > 0) feed(writers[sample % frozen]!);
    const startMs = performance.now();
    write(writers[index]!, addressOf(LINE), LINE.length);
    for (let got = 0; got < LINE.length;) {
      poll(readers[index]!, POLLIN, DEADLINE_MS);
      const count = read(readers[index]!, addressOf(buffer), buffer.length);
      if (count > 0) got += count;
      if (performance.now() - startMs > DEADLINE_MS) {
        throw new Error("a line does not arrive");
      }
    }
    delays.push(performance.now() - startMs);
  }
  return delays;
}

const FEED = new Uint8Array(4096).fill(120);
FEED[FEED.length - 1] = 10;

function feed(writer: number): void {
  for (let part = 0; part < 4; part++) write(writer, addressOf(FEED), FEED.length);
}

/** Writes to the first input as fast as it is read, and reads what comes of it. */
function startFlood({ outputs }: Host) {
  const pipes = outputs.replace(/outputs$/, "pipes");
  const run = (script: string, path: string) =>
    new Deno.Command("bash", {
      args: ["-c", script, "bash", path],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
  const children = [
    run('exec cat "$1"', `${outputs}/${nameOf(0)}`),
    run(`exec yes ${"x".repeat(99)} >"$1"`, `${pipes}/${nameOf(0)}`),
  ];
  return {
    async end(): Promise<void> {
      for (const child of children.reverse()) {
        child.kill("SIGKILL");
        await child.status;
      }
    },
  };
}
