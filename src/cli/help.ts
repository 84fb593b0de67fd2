/** The help as text, short and long. */

import {
  COMMAND_STATUS,
  ENVIRONMENT,
  EXAMPLES,
  EXIT_STATUSES,
  SIGNALS,
  SUMMARY,
  UNITS,
  USAGE,
} from "./about.ts";
import { type Flag, FLAG_GROUPS, headOf } from "./flags.ts";

const WIDTH = 80;
const INDENT = 4;
const STATUS_DIGITS = 3;

/** What `-h` prints, and what a terminal without input is shown: one small screen. */
export function shortHelp(): string {
  const titleWidth = Math.max(...FLAG_GROUPS.map(({ title }) => title.length)) + 2;
  const groups = FLAG_GROUPS.map(({ title, flags }) =>
    hang(`${title}:`.padEnd(titleWidth), flags.map(headOf))
  );
  return `${wrap(SUMMARY)}\n\n${usage()}\n\n${examples(false)}\n\n${
    groups.join("\n")
  }\n\nspillway --help says what each does.\n`;
}

/** What `--help` prints. */
export function fullHelp(): string {
  const groups = FLAG_GROUPS.map(({ title, flags }) =>
    `${title}:\n${flags.map(describe).join("\n")}`
  );
  const statuses = EXIT_STATUSES.map(([code, meaning]) =>
    `  ${`${code}`.padEnd(STATUS_DIGITS)}  ${meaning}`
  );
  const longest = Math.max(...SIGNALS.map(([names]) => names.length));
  const signals = SIGNALS.map(([names, meaning]) =>
    hang(`  ${names.padEnd(longest)}  `, meaning.split(" "), " ")
  );
  return [
    wrap(SUMMARY),
    usage(),
    examples(true),
    ...groups,
    `Exit status:\n${statuses.join("\n")}\n${wrap(COMMAND_STATUS, 2)}`,
    `Signals:\n${signals.join("\n")}`,
    wrap(UNITS),
    wrap(ENVIRONMENT),
  ].join("\n\n") + "\n";
}

function usage(): string {
  return hang("Usage: ", USAGE, "\n");
}

/** @param explained with what each does */
function examples(explained: boolean): string {
  const lines = EXAMPLES.flatMap(({ command, meaning }) =>
    explained ? [`  ${command}`, `    ${meaning}.`] : [`  ${command}`]
  );
  return ["Examples:", ...lines].join("\n");
}

function describe(flag: Flag): string {
  const standard = flag.default === undefined ? "" : ` [${flag.default}]`;
  return `  ${headOf(flag)}\n${wrap(flag.help + standard, INDENT)}`;
}

function wrap(text: string, indent = 0): string {
  return hang(" ".repeat(indent), text.split(" "), " ");
}

/**
 * Words after a beginning, and below it what does not fit its line.
 *
 * @param between what separates two words on a line, or every word from the next
 */
function hang(beginning: string, words: readonly string[], between = "  "): string {
  const lines: string[] = [];
  let line = "";
  for (const word of words) {
    const longer = line === "" ? word : line + between + word;
    if (line !== "" && (between === "\n" || beginning.length + longer.length > WIDTH)) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return beginning + [...lines, line].join(`\n${" ".repeat(beginning.length)}`);
}
