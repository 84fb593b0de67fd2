/** What the program costs while it does nothing, little, or much. */

import { setTimeout as pause } from "node:timers/promises";
import { run } from "../pipeline.ts";
import { activityOf, activitySince, memoryOf } from "../process_stats.ts";
import { atMost, inTurns, type Measure, type Row } from "../results.ts";
import { SPILLWAYS, type Subject } from "../subjects.ts";
import { withWaitingFifo } from "../waiting_fifo.ts";

const MIB = 1024 ** 2;
/** Resident memory over the capacity that is the goal, in MiB. */
const OVERHEAD_MIB: Readonly<Record<string, number>> = {
  spillway: 80,
  "spillway-bun": 48,
};

/** What is only needed at the start is given back a second after it. */
const START_MS = 1500;
/** Long enough that this is over, and the load goes on. */
const LOAD_SECONDS = 3;

export const memory: Measure = {
  name: "memory",
  title: "Resident memory beyond the capacity",
  async run({ quick }) {
    const rows: Row[] = [];
    for (const mebibytes of quick ? [16] : [1, 16, 64, 256]) {
      for (
        const [name, sink] of [["frozen", "frozen"], ["flowing", undefined]] as const
      ) {
        const what = `${mebibytes} MiB of ring, output ${name}`;
        const runs = await inTurns(SPILLWAYS, 1, ({ command }) =>
          run({
            command: [...command, "--capacity", `${mebibytes}MiB`],
            sink,
            onStart: (pid) => setTimeout(() => forgetPeak(pid), START_MS),
            load: {
              writeBytes: 64 * 1024,
              lineBytes: 100,
              totalBytes: Infinity,
              seconds: LOAD_SECONDS,
              bytesPerSecond: Math.max(256, 2 * mebibytes) * MIB / LOAD_SECONDS,
            },
          }));
        for (const [subject, [one]] of runs) {
          const { residentBytes, peakBytes } = one!.memory;
          rows.push(
            overhead(`${what}: after the load`, subject, residentBytes, mebibytes),
          );
          rows.push(
            overhead(`${what}: at most, after the start`, subject, peakBytes, mebibytes),
          );
        }
      }
    }
    return rows;
  },
};

/** From now on the most that was resident is counted again: proc_pid_clear_refs(5). */
function forgetPeak(pid: number): void {
  Deno.writeTextFileSync(`/proc/${pid}/clear_refs`, "5");
}

function overhead(what: string, subject: string, bytes: number, mebibytes: number): Row {
  const values = [bytes / MIB - mebibytes];
  const limit = OVERHEAD_MIB[subject]!;
  return {
    what,
    subject,
    unit: "MiB",
    values,
    goal: atMost(limit, `≤ ${limit} MiB`, values),
  };
}

export const idle: Measure = {
  name: "idle",
  title: "Doing nothing, with a FIFO that nobody writes to any longer",
  alongside: true,
  async run({ quick }) {
    const settleMs = quick ? 15_000 : 60_000;
    const seconds = quick ? 10 : 30;
    const found = await Promise.all(
      SPILLWAYS.map((subject) => idleRows(subject, settleMs, seconds)),
    );
    return found.flat();
  },
};

/** @param settleMs both runtimes collect garbage for a while, Bun for half a minute */
async function idleRows(
  subject: Subject,
  settleMs: number,
  seconds: number,
): Promise<Row[]> {
  return await withWaitingFifo(subject, async ({ pid }) => {
    await pause(settleMs);
    const before = activityOf(pid);
    await pause(seconds * 1e3);
    const activity = activitySince(before, activityOf(pid));
    const sleeps = [activity.sleeps / seconds];
    const busy = [activity.cpuSeconds / seconds * 100];
    const { name } = subject;
    return [
      {
        what: "wake-ups of all threads",
        subject: name,
        unit: "1/s",
        values: sleeps,
        goal: atMost(1, "≤ 1/s", sleeps, { needsTime: true }),
      },
      {
        what: "processor",
        subject: name,
        unit: "% of one",
        values: busy,
        goal: atMost(0.1, "≤ 0.1 %", busy, { needsTime: true }),
      },
      {
        what: "resident memory",
        subject: name,
        unit: "MiB",
        values: [memoryOf(pid).residentBytes / MIB],
      },
    ];
  });
}
