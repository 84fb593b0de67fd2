import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { type Flag, FLAGS } from "../../src/cli/flags.ts";
import { parseFlags } from "../../src/cli/parse.ts";
import { UsageError } from "../../src/errors.ts";

const WITH_VALUE: readonly Flag[] = FLAGS.filter(({ value }) => value !== undefined);
const WITHOUT_VALUE: readonly Flag[] = FLAGS.filter(({ value }) => value === undefined);

function parsed(...args: string[]): [string, readonly string[]][] {
  return [...parseFlags(args)];
}

Deno.test("no arguments are no flags", () => assertEquals(parsed(), []));

Deno.test("every flag that takes a value takes it as next argument and after =", () => {
  for (const { name } of WITH_VALUE) {
    assertEquals(parsed(`--${name}`, "v"), [[name, ["v"]]]);
    assertEquals(parsed(`--${name}=v`), [[name, ["v"]]]);
    assertEquals(parsed(`--${name}=a=b c`), [[name, ["a=b c"]]]);
    assertEquals(parsed(`--${name}=-v`), [[name, ["-v"]]]);
    assertEquals(parsed(`--${name}`, "-"), [[name, ["-"]]]);
  }
});

Deno.test("every flag that takes no value stands by itself", () => {
  for (const { name } of WITHOUT_VALUE) {
    assertEquals(parsed(`--${name}`).map(([name]) => name), [name]);
  }
});

Deno.test("short flags stand alone or together", () => {
  assertEquals(parsed("-h").map(([name]) => name), ["help"]);
  assertEquals(parsed("-V").map(([name]) => name), ["version"]);
  assertEquals(parsed("-hV").map(([name]) => name), ["help", "version"]);
});

Deno.test("a repeatable flag keeps its values in their order", () => {
  const values = parseFlags(["--fifo", "b", "--once", "--fifo=a"]).get("fifo");
  assertEquals(values, ["b", "a"]);
});

Deno.test("every flag that needs a value says so when it has none, and names it", () => {
  for (const { name, value } of WITH_VALUE) {
    const message = `--${name} needs a value: --${name} ${value}`;
    for (
      const args of [[`--${name}`], [`--${name}=`], [`--${name}`, ""], [
        `--${name}`,
        "--once",
      ]]
    ) {
      assertThrows(() => parseFlags(args), UsageError, message);
    }
  }
});

Deno.test("every flag that takes no value refuses one", () => {
  for (const { name } of WITHOUT_VALUE) {
    assertThrows(
      () => parseFlags([`--${name}=yes`]),
      UsageError,
      `--${name} takes no value, but was given "yes"`,
    );
    assertThrows(
      () => parseFlags([`--${name}`, "yes"]),
      UsageError,
      '"yes" is not a flag',
    );
  }
});

Deno.test("every flag that is not repeatable refuses to be given twice", () => {
  for (const { name, value, repeatable } of FLAGS as readonly Flag[]) {
    if (repeatable) continue;
    const arg = value === undefined ? `--${name}` : `--${name}=v`;
    assertThrows(
      () => parseFlags([arg, arg]),
      UsageError,
      `--${name} was given twice; it may be given once`,
    );
  }
});

const REFUSED: readonly (readonly [readonly string[], string])[] = [
  [["--capacite", "1m"], "unknown flag --capacite; did you mean --capacity?"],
  [["--markers"], "unknown flag --markers; see --help"],
  [["--ouptut=x"], "unknown flag --ouptut; did you mean --output?"],
  [
    ["--drian-timeout", "1s"],
    "unknown flag --drian-timeout; did you mean --drain-timeout?",
  ],
  [["--fofi", "x"], "unknown flag --fofi; see --help"],
  [["--cap", "1m"], "unknown flag --cap; did you mean --capacity?"],
  [["--capacity-bytes"], "unknown flag --capacity-bytes; did you mean --capacity?"],
  [["--Help"], "unknown flag --Help"],
  [["-x"], "unknown flag -x"],
  [["-hx"], "unknown flag -hx"],
  [["-help"], "unknown flag -help; did you mean --help?"],
  [["-once"], "unknown flag -once; did you mean --once?"],
  [["-output", "x"], "unknown flag -output; did you mean --output?"],
  [["-oapp.log"], "unknown flag -oapp.log; did you mean -o app.log?"],
  [["-o"], "--output needs a value"],
  [["-o", "a", "--output=b"], "--output was given twice"],
  [["-q", "--report", "json"], "--report was given twice"],
  [["---help"], "unknown flag ---help"],
  [["--no-help"], "unknown flag --no-help"],
  [["--no-output=x"], "unknown flag --no-output; see --help"],
  [["--output.path", "x"], "unknown flag --output.path; did you mean --output?"],
  [["--constructor"], "unknown flag --constructor; see --help"],
  [["--once=false"], '--once takes no value, but was given "false"'],
  [["--once", "true"], '"true" is not a flag'],
  [["-h", "false"], '"false" is not a flag'],
  [["-h=x"], '--help takes no value, but was given "x"'],
  [["--output=x", "-"], '"-" is not a flag'],
  [["--output", "-", "-"], '"-" is not a flag'],
  [["--output", "--"], "--output needs a value"],
  [["0x10"], '"0x10" is not a flag'],
  [["--__proto__"], "unknown flag --__proto__"],
  [["--=x"], "unknown flag --=x"],
  [["app.log"], '"app.log" is not a flag; input comes from standard input, --fifo or'],
  [["-"], '"-" is not a flag'],
  [[""], '"" is not a flag'],
];

for (const [args, message] of REFUSED) {
  Deno.test(`${JSON.stringify(args.join(" "))} is refused`, () => {
    assertThrows(() => parseFlags(args), UsageError, message);
  });
}

Deno.test("-o is short for --output, and -q for --report none", () => {
  assertEquals(parsed("-q", "-o", "app.log"), [["report", ["none"]], ["output", [
    "app.log",
  ]]]);
  assertEquals(parsed("-o", "-"), [["output", ["-"]]]);
  assertEquals(parsed("--output=-q"), [["output", ["-q"]]]);
});

Deno.test("the order of a logging binary's pairs does not matter", () => {
  const pairs = [
    ["--containerd", ""],
    ["--no-markers", ""],
    ["--output", "/logs/{id}"],
    ["--format", "cri"],
    ["", ""],
  ];
  const expected = parsed(...pairs.flat()).sort();
  fc.assert(fc.property(
    fc.shuffledSubarray(pairs, { minLength: pairs.length }),
    (shuffled) => assertEquals(parsed(...shuffled.flat()).sort(), expected),
  ));
});

Deno.test("a logging binary's flags without a value come with an empty one", () => {
  const args = ["--no-markers", "", "--output", "x", "--containerd", ""];
  assertEquals(parsed(...args), [
    ["no-markers", [""]],
    ["output", ["x"]],
    ["containerd", [""]],
  ]);
  assertThrows(() => parseFlags(args.slice(0, -2)), UsageError, '"" is not a flag');
  assertThrows(() => parseFlags(["--containerd", "x"]), UsageError, '"x" is not a flag');
  assertThrows(
    () => parseFlags(["--containerd", "", "--output", ""]),
    UsageError,
    "--output needs a value",
  );
});
