/** The table of README.md in this folder, from the results of a whole bench. */

import { describe, type Machine } from "./machine.ts";
import { number } from "./report.ts";
import type { Row } from "./results.ts";
import { median } from "./statistics.ts";

/** A line of the table: of all that was measured, what a newcomer asks first. */
interface Question {
  readonly question: string;
  readonly measure: string;
  readonly what: string;
  readonly unit: string;
  /** What follows the program in the name of the subject. */
  readonly way?: string;
  /** Less is better. */
  readonly least?: true;
  /** Of many cases the worst one, and not the one in the middle. */
  readonly worst?: true;
}

const QUESTIONS: readonly Question[] = [
  {
    question: "write while nobody reads, 64 KiB, MB/s",
    measure: "frozen",
    what: "2 GiB in 64 KiB writes",
    unit: "MB/s",
  },
  {
    question: "write while nobody reads, 4 KiB, MB/s",
    measure: "frozen",
    what: "2 GiB in 4 KiB writes",
    unit: "MB/s",
  },
  {
    question: "99.9 % of writes at 100 MB/s take at most, ms",
    measure: "write-duration",
    what: "64 KiB writes: p99.9",
    unit: "ms",
    least: true,
  },
  {
    question: "to a pipe reader, 64 KiB writes, MB/s",
    measure: "pass-through",
    what: "to a pipe reader, 64 KiB writes",
    unit: "MB/s",
  },
  {
    question: "to `/dev/null`, 4 KiB writes, MB/s",
    measure: "pass-through",
    what: "to /dev/null, 4 KiB writes",
    unit: "MB/s",
  },
  {
    question: "processor for that, s/GB",
    measure: "pass-through",
    what: "to /dev/null, 4 KiB writes",
    unit: "CPU s/GB",
    least: true,
  },
  {
    question: "100-byte lines as `json-file`, MB/s",
    measure: "formats",
    what: "100-byte lines",
    unit: "MB/s",
    way: " json-file",
  },
  {
    question: "lost / what a perfect ring loses, worst of 11",
    measure: "loss",
    what: "1–6 MB/s, pauses of seconds",
    unit: "",
    worst: true,
  },
  {
    question: "memory beyond a full ring, MiB",
    measure: "memory",
    what: "16 MiB of ring, output frozen: after the load",
    unit: "MiB",
  },
  {
    question: "from start to first byte, ms",
    measure: "start",
    what: "a line waits in the FIFO",
    unit: "ms",
  },
  {
    question: "start to end with an empty input, ms",
    measure: "start",
    what: "an empty input, start to end",
    unit: "ms",
    least: true,
  },
  {
    question: "to a stream of NATS, MB/s",
    measure: "nats",
    what: "messages of up to 256 KiB",
    unit: "MB/s",
  },
  {
    question: "idle, % of a processor",
    measure: "idle",
    what: "processor",
    unit: "% of one",
  },
];

/** The table is to fit a page; the charts have all of them. */
const MAX_OTHERS = 2;
const MAX_OTHERS_LENGTH = 30;
const README = new URL("README.md", import.meta.url);
const END = "<!-- end of what was measured -->";

/** What a bench on a processor of this kind has found; another one replaces it. */
function begin(processor: string): string {
  return `<!-- measured by: deno task bench, on ${processor} -->\n`;
}

/** Puts the table where the README has that of such a processor, or behind all others. */
export async function writeReadmeTable(
  results: ReadonlyMap<string, readonly Row[]>,
  machine: Machine,
): Promise<void> {
  const lines = QUESTIONS.map((question) => lineOf(question, results));
  const head = "| | Deno | Bun | the best others |\n| --- | --- | --- | --- |";
  const table = `\n${head}\n${lines.join("\n")}\n\n${describe(machine)}\n\n`;
  const text = await Deno.readTextFile(README);
  await Deno.writeTextFile(README, withTable(text, machine.processor, table));
  const args = ["fmt", "--quiet", README.pathname];
  const { success } = await new Deno.Command(Deno.execPath(), { args }).output();
  if (!success) throw new Error(`deno ${args.join(" ")} failed`);
}

/** @throws Error when the text has no table yet, and so no place for one. */
export function withTable(text: string, processor: string, table: string): string {
  const known = text.indexOf(begin(processor));
  const last = text.lastIndexOf(END) + END.length;
  if (last < END.length) {
    throw new Error(`the README has no place for the table: it lacks ${END}`);
  }
  if (known < 0) {
    const more = `\n\n${begin(processor)}${table}${END}`;
    return text.slice(0, last) + more + text.slice(last);
  }
  const from = known + begin(processor).length;
  return text.slice(0, from) + table + text.slice(text.indexOf(END, from));
}

function lineOf(
  { question, measure, what, unit, way = "", least, worst }: Question,
  results: ReadonlyMap<string, readonly Row[]>,
): string {
  const rows = (results.get(measure) ?? []).filter((row) =>
    row.what === what && row.unit.startsWith(unit)
  );
  const value = ({ values }: Row) => worst ? Math.max(...values) : median(values);
  const of = (subject: string) => {
    const row = rows.find((row) => row.subject === subject + way);
    return row === undefined ? "" : number(value(row));
  };
  const others = rows.filter(({ subject }) => !subject.startsWith("spillway"))
    .sort((one, other) => (value(other) - value(one)) * (least ? -1 : 1))
    .slice(0, MAX_OTHERS)
    .map((row) => `${row.subject} ${number(value(row))}`);
  while (others.length > 1 && others.join(", ").length > MAX_OTHERS_LENGTH) others.pop();
  const cells = [
    question,
    of("spillway"),
    of("spillway-bun"),
    others.join(", "),
  ];
  return `| ${cells.join(" | ")} |`;
}
