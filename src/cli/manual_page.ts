/** The manual page in the language of man(7), from the table of flags. */

import {
  COMMAND_STATUS,
  ENVIRONMENT,
  EXAMPLES,
  EXIT_STATUSES,
  SIGNALS,
  SUMMARY,
  UNITS,
  USAGE,
  VERSION,
} from "./about.ts";
import { type Flag, FLAG_GROUPS, headOf } from "./flags.ts";

/** What `--man` prints. */
export function manualPage(): string {
  return [
    `.TH SPILLWAY 1 "" "spillway ${VERSION}" "User Commands"`,
    // Nobody can search for a flag that is hyphenated or read an example that is stretched.
    ".nh\n.ad l",
    section("NAME", "spillway \\- keep a slow log reader from blocking its writer"),
    section("SYNOPSIS", `.nf\n${USAGE.map(escaped).join("\n")}\n.fi`),
    section("DESCRIPTION", escaped(SUMMARY)),
    section("OPTIONS", ...FLAG_GROUPS.map(group), `.PP\n${escaped(UNITS)}`),
    section("ENVIRONMENT", escaped(ENVIRONMENT)),
    section(
      "EXIT STATUS",
      ...EXIT_STATUSES.map(([code, text]) => item(`${code}`, text)),
      `.PP\n${escaped(COMMAND_STATUS)}`,
    ),
    section("SIGNALS", ...SIGNALS.map(([names, text]) => item(names, text))),
    section(
      "EXAMPLES",
      ...EXAMPLES.map(({ command, meaning }) =>
        `.TP 4\n${escaped(meaning)}:\n.nf\n${escaped(command)}\n.fi`
      ),
    ),
  ].join("\n") + "\n";
}

function section(title: string, ...parts: readonly string[]): string {
  return [`.SH ${title}`, ...parts].join("\n");
}

function group({ title, flags }: typeof FLAG_GROUPS[number]): string {
  return [`.SS ${title}`, ...flags.map(option)].join("\n");
}

function option(flag: Flag): string {
  const standard = flag.default === undefined ? "" : ` Default: ${flag.default}.`;
  return item(headOf(flag), flag.help + standard);
}

function item(name: string, text: string): string {
  return `.TP\n.B ${escaped(name)}\n${escaped(text)}`;
}

/** Text as it is: roff's own characters, and those that not every terminal has. */
function escaped(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll("…", "...")
    .replaceAll("×", "\\(mu")
    .replaceAll(/^[.']/gm, "\\&$&");
}
