import { assertEquals, assertThrows } from "@std/assert";
import { hasVariable, variableOf, withEnvironment } from "../../src/cli/environment.ts";
import { type Flag, FLAGS } from "../../src/cli/flags.ts";
import { resolvePlan } from "../../src/cli/options.ts";
import { parseFlags, type RawFlags } from "../../src/cli/parse.ts";
import { UsageError } from "../../src/errors.ts";

/** The flags that this command line and these variables make together. */
function merged(args: string, variables: Record<string, string>): RawFlags {
  const given = parseFlags(args === "" ? [] : args.split(" "));
  return withEnvironment(given, new Map(Object.entries(variables)), (flags) => flags);
}

Deno.test("every flag that carries logs can be set in the environment", () => {
  for (const { name, value } of (FLAGS as readonly Flag[]).filter(hasVariable)) {
    const text = value === undefined ? "1" : "v";
    const expected: [string, string[]][] = [[name, [value === undefined ? "" : "v"]]];
    assertEquals<unknown>([...merged("", { [variableOf(name)]: text })], expected);
  }
});

Deno.test("a flag that does something else cannot be set in the environment", () => {
  for (const { name } of FLAGS.filter((flag) => !hasVariable(flag))) {
    assertThrows(
      () => merged("", { [variableOf(name)]: "1" }),
      UsageError,
      `unknown variable ${variableOf(name)} in the environment`,
    );
  }
});

Deno.test("the command line wins, also with one value over several", () => {
  const variables = { SPILLWAY_CAPACITY: "1m", SPILLWAY_FIFO: "a,b", SPILLWAY_ONCE: "1" };
  const flags = merged("--fifo c --capacity 2m", variables);
  assertEquals([...flags], [["fifo", ["c"]], ["capacity", ["2m"]], ["once", [""]]]);
});

Deno.test("a repeatable flag takes several values, between commas", () => {
  const flags = merged("", { SPILLWAY_FIFO: "out=/run/o,err=/run/e" });
  assertEquals(flags.get("fifo"), ["out=/run/o", "err=/run/e"]);
});

Deno.test("a flag without a value is switched on and off by words, in any case", () => {
  for (const word of ["1", "true", "yes", "on", "TRUE"]) {
    assertEquals(merged("", { SPILLWAY_NO_MARKERS: word }).has("no-markers"), true);
  }
  for (const word of ["0", "false", "no", "off", "Off", ""]) {
    assertEquals(merged("", { SPILLWAY_NO_MARKERS: word }).has("no-markers"), false);
  }
});

/** Names that are not flags, with values, and are nobody's mistake. */
const FOREIGN: Record<string, string> = {
  SPILLWAY_HTTP_BEARER: "token",
  SPILLWAY_HTTP_BASIC: "user:password",
  SPILLWAY_SERVICE_HOST: "10.0.0.1",
  SPILLWAY_SERVICE_PORT: "9464",
  SPILLWAY_SERVICE_PORT_METRICS: "9464",
  SPILLWAY_PORT: "tcp://10.0.0.1:9464",
  SPILLWAY_PORT_9464_TCP: "tcp://10.0.0.1:9464",
  SPILLWAY_PORT_9464_TCP_PROTO: "tcp",
  SPILLWAY_PORT_9464_TCP_PORT: "9464",
  SPILLWAY_PORT_9464_TCP_ADDR: "10.0.0.1",
  SPILLWAY_WEB_SERVICE_HOST: "10.0.0.1",
  SPILLWAY_WEB_PORT: "udp://10.0.0.1:9464",
  SPILLWAY_CAPACITY: "",
};

for (const [name, value] of Object.entries(FOREIGN)) {
  Deno.test(`${name}=${value} sets no flag, and is no mistake`, () => {
    assertEquals([...merged("", { [name]: value })], []);
  });
}

/** Arguments, a variable, its value, and what the message says. */
const REFUSED: readonly (readonly [string, string, string, string])[] = [
  [
    "",
    "SPILLWAY_CAPACITE",
    "1m",
    "SPILLWAY_CAPACITE in the environment; did you mean SPILLWAY_CAPACITY?",
  ],
  ["", "SPILLWAY_DRAINTIMEOUT", "1s", "did you mean SPILLWAY_DRAIN_TIMEOUT?"],
  ["", "SPILLWAY_VERBOSE", "1", "SPILLWAY_VERBOSE in the environment; see --help"],
  ["", "SPILLWAY_HELPS", "1", "SPILLWAY_HELPS in the environment; see --help"],
  ["", "SPILLWAY_", "", "unknown variable SPILLWAY_ in the environment; see --help"],
  ["", "SPILLWAY_capacity", "1m", "did you mean SPILLWAY_CAPACITY?"],
  ["", "SPILLWAY_PORT", "9464", "unknown variable SPILLWAY_PORT"],
  ["--capacity 1m", "SPILLWAY_CAPACITE", "1m", "unknown variable SPILLWAY_CAPACITE"],
  [
    "",
    "SPILLWAY_PROGRESS",
    "2",
    'SPILLWAY_PROGRESS: "2" is not one of 1, true, yes, on, 0',
  ],
  [
    "",
    "SPILLWAY_CAPACITY",
    "x",
    '--capacity: "x" is not a size; write a number of bytes or one with a unit, such as 64KiB, 16m or 1GB (--capacity is from SPILLWAY_CAPACITY)',
  ],
  ["", "SPILLWAY_ONCE", "1", "have closed it (--once is from SPILLWAY_ONCE)"],
  [
    "--output x --max-files 3",
    "SPILLWAY_MAX_SIZE",
    "x",
    "(--max-size is from SPILLWAY_MAX_SIZE)",
  ],
  ["--fifo a", "SPILLWAY_OUTPUT", "fifo:a", "(--output is from SPILLWAY_OUTPUT)"],
  ["", "SPILLWAY_FIFO", "a=x,", 'SPILLWAY_FIFO: "a=x," has a comma too many'],
  [
    "",
    "SPILLWAY_FIFO",
    "x,y",
    "name each: --fifo LABEL=PATH (--fifo is from SPILLWAY_FIFO)",
  ],
];

for (const [args, name, value, message] of REFUSED) {
  Deno.test(`${name}=${value} is refused: ${message}`, () => {
    const flags = parseFlags(args === "" ? [] : args.split(" "));
    const variables = new Map([[name, value]]);
    assertThrows(
      () => withEnvironment(flags, variables, resolvePlan),
      UsageError,
      message,
    );
  });
}

Deno.test("a message about a flag of the command line does not speak of variables", () => {
  const error = assertThrows(
    () =>
      withEnvironment(
        parseFlags(["--capacity", "x"]),
        new Map([["SPILLWAY_MAX_LINE", "1k"], ["SPILLWAY_CAPACITY", "1m"]]),
        resolvePlan,
      ),
    UsageError,
  );
  assertEquals(error.message.includes("SPILLWAY"), false);
});
