/**
 * Shows where the processor time of a gigabyte goes, as perf(1) samples it, beside `dd`,
 * which only takes the bytes out of the pipe: no program can take less.
 *
 *     deno task bench:profile
 *
 * Needs perf (Debian: linux-perf) and the right to look into the kernel, which root has.
 */

import { barChartSvg, type BarGroup } from "./bar_chart.ts";
import { thisMachine } from "./machine.ts";
import { inFolder, run } from "./pipeline.ts";
import { COPYING_PEERS, isSpillway, SPILLWAYS, type Subject } from "./subjects.ts";

const MIB = 1024 ** 2;
const SAMPLES_PER_SECOND = 2000;
const LOAD = {
  writeBytes: 4096,
  lineBytes: 100,
  warmUpBytes: 256 * MIB,
  totalBytes: 3072 * MIB,
  seconds: 30,
};
const LIMIT = "dd bs=1M";

/** The first that matches what a sample says: the function, and where its code lies. */
const PARTS: readonly { name: string; matches: RegExp }[] = [
  { name: "the kernel copies", matches: /copy.* \(\[kernel/ },
  {
    name: "waiting and waking",
    matches:
      /(sched|switch|task|wake|poll|futex|eventfd|timer|sleep|idle|rseq|queue).* \(\[kernel/,
  },
  {
    name: "pages of the pipe",
    matches: /(page|folio|charge|alloc|free|memcg|buf_release|fault|pfn).* \(\[kernel/,
  },
  { name: "other system calls", matches: /\(\[(kernel|vdso)/ },
  { name: "copies by us", matches: /mem(move|cpy).* \(/ },
  {
    name: "lines and frames",
    matches: /\((\/tmp\/perf-|\[JIT\]|\/\/anon|\[unknown\]|\[anon)/,
  },
  { name: "the program", matches: /./ },
];

/** Milliseconds of processor time for each gigabyte, by the names of the parts. */
async function profile({ command }: Subject): Promise<Map<string, number>> {
  return await inFolder(async (folder) => {
    const data = `${folder}/perf.data`;
    let recording: Promise<unknown> | undefined;
    const { load, cpuSeconds } = await run({
      command,
      load: LOAD,
      onStart: (pid) => recording = perf("record", data, "-p", `${pid}`),
    });
    await recording;
    const script = await perf("script", data, "-F", "ip,sym,dso");
    const samples = script.split("\n").filter((line) => line.trim() !== "");
    const share = cpuSeconds / samples.length / load.measuredBytes * 1e12;
    const found = new Map(PARTS.map(({ name }) => [name, 0]));
    for (const sample of samples) {
      const { name } = PARTS.find(({ matches }) => matches.test(sample))!;
      found.set(name, found.get(name)! + share);
    }
    return found;
  });
}

async function perf(does: "record" | "script", data: string, ...args: string[]) {
  const file = does === "record"
    ? ["-q", "-F", `${SAMPLES_PER_SECOND}`, "-o", data]
    : ["-i", data];
  const { code, stdout, stderr } = await new Deno.Command("perf", {
    args: [does, ...file, ...args],
  }).output();
  const decoder = new TextDecoder();
  if (code !== 0) throw new Error(`perf ${does} has failed: ${decoder.decode(stderr)}`);
  return decoder.decode(stdout);
}

async function groupOf(subject: Subject): Promise<BarGroup> {
  const parts = [...await profile(subject)].filter(([, value]) => value > 0);
  const all = parts.reduce((sum, [, value]) => sum + value, 0);
  return {
    name: `${subject.name}: ${Math.round(all)} ms`,
    bars: parts.map(([name, value]) => ({
      name,
      value,
      lowest: value,
      highest: value,
      emphasized: isSpillway(subject.name),
    })),
  };
}

const subjects = [...SPILLWAYS, ...COPYING_PEERS.filter(({ name }) => name === LIMIT)];
const groups: BarGroup[] = [];
for (const subject of subjects) groups.push(await groupOf(subject));
const { date, cores, processor, kernel, load } = thisMachine();
await Deno.writeTextFile(
  new URL("profile.svg", import.meta.url),
  barChartSvg({
    title: "Processor time of a gigabyte: 4 KiB writes to /dev/null",
    unit: "ms",
    groups,
    footer: `${date}, ${cores} cores (${processor}), ${kernel}, load ${load.toFixed(1)}.`,
  }),
);
Deno.exit(0);
