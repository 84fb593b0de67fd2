import { assert, assertEquals } from "@std/assert";
import { type Flag, FLAGS } from "../../src/cli/flags.ts";
import { fullHelp, SHORT_HELP } from "../../src/cli/help.ts";

const ALL: readonly Flag[] = FLAGS;

Deno.test("the help fits a terminal of 80 columns", () => {
  for (const line of `${fullHelp()}\n${SHORT_HELP}`.split("\n")) {
    assert([...line].length <= 80, line);
    assertEquals(line, line.trimEnd());
  }
});

Deno.test("the help names every flag once, with its value and its default", () => {
  const help = fullHelp();
  for (const { name, short, value, default: standard } of ALL) {
    const head = `--${name}${value === undefined ? "" : ` ${value}`}`;
    const line = `\n  ${short === undefined ? "" : `-${short}, `}${head}\n`;
    assertEquals(help.split(line).length, 2, name);
    if (standard === undefined) continue;
    // The default may be wrapped.
    const plain = help.slice(help.indexOf(line) + line.length).replace(/\s+/g, " ");
    assert(plain.includes(`[${standard}]`), name);
  }
});

Deno.test("every flag's help is a sentence, and no flag is in the table twice", () => {
  for (const { name, help } of ALL) {
    assert(/^[A-Z].*\.$/.test(help), name);
    assertEquals(ALL.filter((flag) => flag.name === name).length, 1);
  }
  const shorts = ALL.flatMap(({ short }) => short ?? []);
  assertEquals(new Set(shorts).size, shorts.length);
});

Deno.test("the help names every exit status", () => {
  for (const code of [0, 1, 2, 3, 4]) assert(fullHelp().includes(`\n  ${code}  `));
});

Deno.test("the short help says how to start and where to read on", () => {
  assert(SHORT_HELP.includes("| spillway --output"));
  assert(SHORT_HELP.includes("spillway --help"));
});
