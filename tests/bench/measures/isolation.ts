/** How long a line takes beside outputs that are frozen, and beside a flood. */

import { write } from "../../../src/system/descriptors.ts";
import { addressOf } from "../../../src/system/memory.ts";
import { mkfifo } from "../../../src/system/names.ts";
import { poll, POLLIN } from "../../../src/system/poll.ts";
import {
  type HangingDisk,
  NEEDS_DISKS,
  onHangingDisk,
} from "../../end_to_end/hanging_disk.ts";
import { onSmallDisk } from "../../end_to_end/small_disk.ts";
import { type Host, nameOf, withHost } from "../many_fifos.ts";
import { FileReceiver, PipeReceiver, type Receiver } from "../receivers.ts";
import { atMost, inTurns, type Measure, type Row } from "../results.ts";
import { quantile } from "../statistics.ts";
import { SPILLWAYS, type Subject } from "../subjects.ts";

const INPUTS = 1000;
/** Half of them in one way, half in another. */
const FROZEN = 10;
/** The inputs whose lines are timed come after those that may be frozen or flooded. */
const TIMED = 50;
const MAX_RATIO = 2;
const DEADLINE_MS = 10_000;
const LINE = new TextEncoder().encode(`${"x".repeat(99)}\n`);

type Sample = (subject: Subject, samples: number) => Promise<number>;
/** What is measured, and the way beside which it is looked at, if it is not itself that. */
type Way = readonly [what: string, sample: Sample, beside?: string];

const WAYS: readonly Way[] = [
  ["to FIFOs", (...of) => delayMs(...of, new Pipes(0))],
  [
    "10 have no reader, or one that does not read",
    (...of) => delayMs(...of, new Pipes(FROZEN)),
    "to FIFOs",
  ],
  [
    "one writer at full speed",
    (...of) => delayMs(...of, new Pipes(0), startFlood),
    "to FIFOs",
  ],
  ["to files", (...of) => delayMs(...of, new Files())],
  ...NEEDS_DISKS.ignore
    ? []
    : [["10 on disks that are full or hang", delayBesideDisksMs, "to files"] as const],
];

export const isolation: Measure = {
  name: "isolation",
  isLong: true,
  title: `A line from its write until it has come out, p99.9, with ${INPUTS} inputs`,
  async run({ quick, rounds }) {
    const samples = quick ? 1000 : 5000;
    const runs = await inTurns(SPILLWAYS, quick ? 1 : rounds, async (subject) => {
      const found = new Map<string, number>();
      for (const [what, sample] of WAYS) found.set(what, await sample(subject, samples));
      return found;
    });
    return [...runs].flatMap(([subject, rounds]) =>
      WAYS.map((way) => rowOf(subject, way, rounds))
    );
  },
};

function rowOf(
  subject: string,
  [what, , beside]: Way,
  rounds: readonly ReadonlyMap<string, number>[],
): Row {
  const values = rounds.map((round) => round.get(what)!);
  if (beside === undefined) return { what, subject, unit: "ms", values };
  const ratios = rounds.map((round) => round.get(what)! / round.get(beside)!);
  const ratio = { to: beside, values: ratios };
  const goal = atMost(MAX_RATIO, `≤ ${MAX_RATIO}`, ratios, { needsTime: true });
  return { what, subject, unit: "ms", values, ratio, goal };
}

/** Where the lines of all inputs go. */
interface Outputs {
  readonly output: string;
  /** How many of the first inputs are fed, and have outputs that take nothing. */
  readonly frozen: number;
  /** By the numbers of the inputs that are timed. */
  readonly receivers: readonly Receiver[];
  prepare(folder: string): void;
  /** Before the program ends. */
  release?(): Promise<void>;
}

function isTimed(index: number): boolean {
  return index >= FROZEN && index < FROZEN + TIMED;
}

/** Half of those that are frozen have no reader, half one that does not read. */
class Pipes implements Outputs {
  readonly output = "fifo:OUTPUTS/{input}";
  readonly receivers: Receiver[] = [];

  constructor(readonly frozen: number) {}

  prepare(folder: string): void {
    for (let index = 0; index < INPUTS; index++) {
      const path = `${folder}/${nameOf(index)}`;
      mkfifo(path, 0o600);
      const isStuck = index < this.frozen && index % 2 === 0;
      if (isTimed(index) || isStuck) this.receivers[index] = new PipeReceiver(path);
    }
  }
}

/** Half of those that are frozen are on a full disk, half on one that hangs. */
class Files implements Outputs {
  readonly output = "OUTPUTS/{input}/log";
  readonly frozen: number;
  readonly receivers: Receiver[] = [];
  readonly #disks: readonly string[];
  readonly #hanging: HangingDisk | undefined;

  constructor(full?: string, hanging?: HangingDisk) {
    this.#disks = full && hanging ? [full, hanging.folder] : [];
    this.#hanging = hanging;
    this.frozen = this.#disks.length > 0 ? FROZEN : 0;
  }

  prepare(folder: string): void {
    for (let index = 0; index < INPUTS; index++) {
      const path = `${folder}/${nameOf(index)}`;
      if (index < this.frozen) {
        const there = `${this.#disks[index % 2]}/${nameOf(index)}`;
        Deno.mkdirSync(there);
        Deno.symlinkSync(there, path);
        continue;
      }
      Deno.mkdirSync(path);
      if (!isTimed(index)) continue;
      Deno.writeFileSync(`${path}/log`, new Uint8Array());
      this.receivers[index] = new FileReceiver(`${path}/log`);
    }
  }

  async release(): Promise<void> {
    await this.#hanging?.goOn();
  }
}

const FULL_DISK_BYTES = 64 * 1024;

async function delayBesideDisksMs(subject: Subject, samples: number): Promise<number> {
  let delay = NaN;
  await onSmallDisk(FULL_DISK_BYTES, (full) =>
    onHangingDisk(async (hanging) => {
      const files = new Files(full, hanging);
      delay = await delayMs(subject, samples, files, async () => {
        await hanging.hang();
        return { end: () => Promise.resolve() };
      });
    }));
  return delay;
}

/** The 99.9th percentile. @param begin what goes on meanwhile */
async function delayMs(
  subject: Subject,
  samples: number,
  outputs: Outputs,
  begin?: (host: Host) => Promise<{ end(): Promise<void> }>,
): Promise<number> {
  const order = {
    inputs: INPUTS,
    args: ["--output", outputs.output, "--capacity", "1MiB"],
    prepare: (folder: string) => outputs.prepare(folder),
  };
  try {
    return await withHost(subject, order, async (host) => {
      const going = await begin?.(host);
      try {
        return quantile(timeLines(host, outputs, samples), 0.999);
      } finally {
        await going?.end();
        await outputs.release?.();
      }
    });
  } finally {
    outputs.receivers.forEach((receiver) => receiver.close());
  }
}

/** Lines through the timed inputs, one after the other. */
function timeLines(
  { writers }: Host,
  { receivers, frozen }: Outputs,
  samples: number,
): number[] {
  const delays: number[] = [];
  // Each input has its first line before, which runs code that has not run yet.
  for (let sample = -TIMED; sample < samples; sample++) {
    const index = FROZEN + (sample + TIMED) % TIMED;
    // What is frozen is not idle: its ring is full, and overwritten.
    if (frozen > 0) feed(writers[index % frozen]!);
    const receiver = receivers[index]!;
    const startMs = performance.now();
    write(writers[index]!, addressOf(LINE), LINE.length);
    for (let got = 0; got < LINE.length; got += receiver.take()) {
      poll(receiver.descriptor, POLLIN, DEADLINE_MS);
      if (performance.now() - startMs > DEADLINE_MS) {
        throw new Error("a line does not arrive");
      }
    }
    if (sample >= 0) delays.push(performance.now() - startMs);
  }
  return delays;
}

const FEED = new Uint8Array(4096).fill(120);
FEED[FEED.length - 1] = 10;

function feed(writer: number): void {
  for (let part = 0; part < 4; part++) write(writer, addressOf(FEED), FEED.length);
}

/** Writes to the first input as fast as it is read, and reads what comes of it. */
function startFlood({ outputs }: Host): Promise<{ end(): Promise<void> }> {
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
  return Promise.resolve({
    async end(): Promise<void> {
      for (const child of children.reverse()) {
        child.kill("SIGKILL");
        await child.status;
      }
    },
  });
}
