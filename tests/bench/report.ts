/** The results as a plain table. */

import type { Row } from "./results.ts";
import { median } from "./statistics.ts";

const COLUMNS = ["", "median", "lowest–highest", "", "ratio", "goal", ""];
const SEPARATOR = "  ";

/** One block of lines for each thing that was measured. */
export function table(title: string, rows: readonly Row[]): string {
  const lines: (string | readonly string[])[] = [];
  for (const [what, group] of Map.groupBy(rows, (row) => row.what)) {
    lines.push("", `  ${what}`, ...group.map(cells));
  }
  const widths = COLUMNS.map((name, column) =>
    Math.max(
      name.length,
      ...lines.map((line) => typeof line === "string" ? 0 : line[column]!.length),
    )
  );
  const aligned = [COLUMNS, ...lines].map((line) =>
    typeof line === "string" ? line : align(line, widths)
  );
  return [title, "", ...aligned].map((line) => line.trimEnd()).join("\n");
}

/** Numbers to the right, words to the left. */
function align(line: readonly string[], widths: readonly number[]): string {
  return "    " +
    line.map((cell, column) =>
      column === 1 || column === 2
        ? cell.padStart(widths[column]!)
        : cell.padEnd(widths[column]!)
    ).join(SEPARATOR);
}

function cells({ subject, values, unit, ratio, goal }: Row): readonly string[] {
  return [
    subject,
    number(median(values)),
    values.length === 1 ? "" : range(values),
    unit,
    ratio === undefined ? "" : `${number(median(ratio.values))} × ${ratio.to}`,
    goal?.text ?? "",
    goal === undefined ? "" : goal.met ? "met" : "MISSED",
  ];
}

function range(values: readonly number[]): string {
  return `${number(Math.min(...values))}–${number(Math.max(...values))}`;
}

/** Three digits that count. */
export function number(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return `${value}`;
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(4, digits));
}
