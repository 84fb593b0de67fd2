/** Bytes lost, compared with what a perfect ring of the same capacity must lose. */

import { mustLose } from "../perfect_ring.ts";
import { run } from "../pipeline.ts";
import { type Extent, type Measure, type Row } from "../results.ts";
import type { Windows } from "../sink.ts";
import { SPILLWAYS, type Subject } from "../subjects.ts";

const MIB = 1024 ** 2;
const LIMIT = 1.02;
/** Slow cases that run beside each other. */
const AT_ONCE = 3;

interface Case {
  readonly bytesPerSecond: number;
  readonly capacityBytes: number;
  readonly sink: Windows;
  readonly seconds: number;
}

interface Outcome {
  readonly one: Case;
  readonly lost: number;
  readonly mustLose: number;
}

export const loss: Measure = {
  name: "loss",
  title: "Bytes lost / bytes that a perfect ring of that capacity must lose",
  async run(extent) {
    const rows: Row[] = [];
    for (const subject of SPILLWAYS) {
      const slow = await outcomesOf(subject, slowCases(extent));
      rows.push(...rowsOf("1–6 MB/s, pauses of seconds", subject, slow));
      const fast: Outcome[] = [];
      for (const one of fastCases(extent)) fast.push(await outcomeOf(subject, one));
      rows.push(...rowsOf("500 MB/s, pauses of milliseconds", subject, fast));
      const bursts = await outcomeOf(subject, burstCase(extent));
      rows.push(...rowsOf("40 MB/s, sink takes 20 MB/s in bursts", subject, [bursts]));
    }
    return rows;
  },
};

/** The longest pauses of the sink, in ms. */
const longestPauseMs = ({ quick }: Extent) => quick ? 2000 : 6000;

function slowCases(extent: Extent): Case[] {
  const capacities = extent.quick ? [1, 4, 16] : [1, 2, 4, 8, 16, 64];
  return capacities.flatMap((mebibytes) =>
    (extent.quick ? [2, 6] : [1, 3, 6]).map((megabytes) => {
      const seconds = longestPauseMs(extent) / 1e3 * 1.5;
      const longest = longestPauseMs(extent);
      return pausing(megabytes * 1e6, mebibytes * MIB, 200, longest, seconds);
    })
  );
}

function fastCases({ quick }: Extent): Case[] {
  const capacities = quick ? [1, 4, 16] : [1, 2, 4, 8, 16, 64];
  return capacities.map((mebibytes) =>
    pausing(500e6, mebibytes * MIB, 50, 200, quick ? 0.4 : 1)
  );
}

/**
 * A sink that pauses for half as long again as the ring lasts, or where that is too
 * long for a bench, for a little less than it lasts. What is just too long for the
 * ring would only measure how large a frame is.
 */
function pausing(
  bytesPerSecond: number,
  capacityBytes: number,
  openMs: number,
  longestPauseMs: number,
  seconds: number,
): Case {
  const lastsMs = 1e3 * capacityBytes / bytesPerSecond;
  const pauseMs = 1.5 * lastsMs <= longestPauseMs
    ? 1.5 * lastsMs
    : Math.min(0.8 * lastsMs, longestPauseMs);
  const sink = { periodMs: openMs + pauseMs, openMs, wantBytes: Infinity };
  return { bytesPerSecond, capacityBytes, sink, seconds };
}

function burstCase({ quick }: Extent): Case {
  return {
    bytesPerSecond: 40e6,
    capacityBytes: 16 * MIB,
    sink: { periodMs: 250, openMs: 250, wantBytes: 5e6 },
    seconds: quick ? 1.5 : 4,
  };
}

/**
 * A few at once, which is all that two processors can do at their own pace: when the
 * sinks of many open at the same moment, each has to wait longer than a perfect ring.
 */
async function outcomesOf(subject: Subject, cases: readonly Case[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (let next = 0; next < cases.length; next += AT_ONCE) {
    const some = cases.slice(next, next + AT_ONCE);
    outcomes.push(...await Promise.all(some.map((one) => outcomeOf(subject, one))));
  }
  return outcomes;
}

async function outcomeOf({ command }: Subject, one: Case): Promise<Outcome> {
  const { load, taken } = await run({
    command: [...command, "--capacity", `${one.capacityBytes}`],
    sink: one.sink,
    load: {
      writeBytes: 4096,
      lineBytes: 100,
      totalBytes: one.seconds * one.bytesPerSecond,
      seconds: 2 * one.seconds,
      bytesPerSecond: one.bytesPerSecond,
      burstMs: one.bytesPerSecond < 10e6 ? 10 : 1,
    },
  });
  return {
    one,
    lost: load.bytes - taken!.bytes,
    mustLose: mustLose(load, taken!.reads, one.capacityBytes),
  };
}

function rowsOf(what: string, { name }: Subject, outcomes: readonly Outcome[]): Row[] {
  const losing = outcomes.filter(({ mustLose }) => mustLose > 0);
  const spared = outcomes.filter(({ mustLose }) => mustLose === 0);
  const rows: Row[] = [];
  if (losing.length > 0) {
    const values = losing.map(({ lost, mustLose }) => lost / mustLose);
    const met = Math.max(...values) <= LIMIT;
    rows.push({
      what,
      subject: name,
      unit: `lost / must (${counted(losing)})`,
      values,
      cases: losing.map(inWords),
      goal: { text: `all ≤ ${LIMIT}`, met },
    });
  }
  if (spared.length > 0) {
    const values = spared.map(({ lost }) => lost);
    rows.push({
      what: `${what}, where nothing must be lost`,
      subject: name,
      unit: `bytes lost (${counted(spared)})`,
      values,
      cases: spared.map(inWords),
      goal: { text: "0", met: values.every((value) => value === 0) },
    });
  }
  return rows;
}

function inWords({ one, lost, mustLose }: Outcome): string {
  const { bytesPerSecond, capacityBytes, sink } = one;
  const pauseMs = Math.round(sink.periodMs - sink.openMs);
  return `${bytesPerSecond / 1e6} MB/s, ${
    capacityBytes / MIB
  } MiB, pauses of ${pauseMs} ms: ` +
    `lost ${lost}, must lose ${mustLose}`;
}

function counted(outcomes: readonly Outcome[]): string {
  return outcomes.length === 1 ? "1 case" : `${outcomes.length} cases`;
}
