/** The pictures that show what the bench found; they are beside this file. */

import { barChartSvg, type BarGroup } from "./bar_chart.ts";
import type { Machine } from "./machine.ts";
import type { Row } from "./results.ts";
import { median } from "./statistics.ts";
import { isSpillway } from "./subjects.ts";

interface Chart {
  /** Of the measure, and of the file. */
  readonly name: string;
  readonly title: string;
  readonly unit: string;
}

const CHARTS: readonly Chart[] = [
  { name: "pass-through", title: "Pass-through of 100-byte lines", unit: "MB/s" },
  { name: "frozen", title: "A writer whose logs nobody takes", unit: "MB/s" },
  { name: "memory", title: "Resident memory beyond the capacity", unit: "MiB" },
  { name: "growth", title: "As the work grows, to /dev/null", unit: "MB/s" },
  { name: "formats", title: "Putting lines into a format, bytes of input", unit: "MB/s" },
];

/** Writes those whose measures have run. */
export async function writeCharts(
  results: ReadonlyMap<string, readonly Row[]>,
  { date, cores, processor, kernel }: Machine,
): Promise<void> {
  const footer =
    `Medians and ranges. ${date}, ${cores} cores (${processor}), ${kernel}. More is ` +
    "better, except for memory.";
  for (const { name, title, unit } of CHARTS) {
    const rows = results.get(name)?.filter((row) => row.unit === unit) ?? [];
    if (rows.length === 0) continue;
    await Deno.writeTextFile(
      new URL(`${name}.svg`, import.meta.url),
      barChartSvg({ title, unit, groups: groupsOf(rows), footer }),
    );
  }
}

function groupsOf(rows: readonly Row[]): BarGroup[] {
  return [...Map.groupBy(rows, ({ what }) => what)].map(([name, group]) => ({
    name,
    bars: group.map(({ subject, values }) => ({
      name: subject,
      value: median(values),
      lowest: Math.min(...values),
      highest: Math.max(...values),
      emphasized: isSpillway(subject.split(" ")[0]!),
    })),
  }));
}
