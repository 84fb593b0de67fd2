import { assert, assertEquals } from "@std/assert";
import { EXAMPLES } from "../../src/cli/about.ts";
import { briefOf, type Flag, FLAGS } from "../../src/cli/flags.ts";
import { resolvePlan } from "../../src/cli/options.ts";
import { parseFlags } from "../../src/cli/parse.ts";
import { fullHelp, shortHelp } from "../../src/cli/help.ts";

const ALL: readonly Flag[] = FLAGS;

Deno.test("the help fits a terminal of 80 columns", () => {
  for (const line of `${fullHelp()}\n${shortHelp()}`.split("\n")) {
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

Deno.test("the short help names every flag and fits a terminal of 24 lines", () => {
  const help = shortHelp();
  // One line is the prompt's.
  assert(help.trimEnd().split("\n").length < 24, help);
  for (const { name } of ALL) assert(help.includes(`--${name}`), name);
  assert(help.includes("spillway --help"));
});

Deno.test("both helps give three examples, whose command lines are sound", () => {
  assertEquals(EXAMPLES.length, 3);
  for (const { command } of EXAMPLES) {
    assert(fullHelp().includes(command) && shortHelp().includes(command));
    const args = /spillway ([^|]*)/.exec(command)![1]!.trim().split(" ");
    resolvePlan(parseFlags(args));
  }
});

Deno.test("the help of every flag begins with a few words that say what it does", () => {
  for (const flag of ALL) {
    const brief = briefOf(flag);
    assert(brief.length >= 10 && brief.length <= 90, brief);
    assert(/^[A-Z]/.test(brief) && !/^(With|For|If) /.test(brief), brief);
  }
});
