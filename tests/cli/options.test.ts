import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { resolvePlan } from "../../src/cli/options.ts";
import { parseFlags } from "../../src/cli/parse.ts";
import type { Plan, RoutePlan } from "../../src/plan.ts";
import { UsageError } from "../../src/errors.ts";
import { STANDARD_INPUT } from "../../src/input/input_spec.ts";
import { hostName } from "../../src/system/process.ts";

/** A plan with one route, and what that says, beside each other. */
type Options = Omit<Plan, "routes"> & RoutePlan;

function resolve(...args: string[]): Options {
  const { routes, ...plan } = resolvePlan(parseFlags(args), CONTAINER);
  assertEquals(routes.length, 1);
  return { ...plan, ...routes[0]! };
}

Deno.test("a folder's pipes go where the output says, each by its name", () => {
  const pipe = (label: string) =>
    ({ label, source: { kind: "fifo", path: label, inFolder: true } }) as const;
  const own = resolvePlan(parseFlags(["--fifo", "a/", "--output", "{input}.log"]));
  assertEquals(own.routes, []);
  assertEquals(own.folders!.paths, ["a/"]);
  assertEquals(own.folders!.routeOf(pipe("api")).output.name, '"api.log"');
  const all = resolvePlan(parseFlags(["--fifo", "a/", "--fifo", "b", "--format", "cri"]));
  assertEquals(all.routes.map(({ inputs }) => inputs.length), [1]);
  assertEquals(all.folders!.routeOf(pipe("stderr")), all.routes[0]);
  assertThrows(
    () => all.folders!.routeOf(pipe("api")),
    UsageError,
    'cannot carry the input "api", only stdout and stderr; give it such a name',
  );
});

/** Templates, and what the outputs of the inputs `a` and `b` are called. */
const OWN_OUTPUTS: readonly (readonly [string, string, string])[] = [
  ["/var/log/{input}.log", '"/var/log/a.log"', '"/var/log/b.log"'],
  ["fifo:{input}", 'FIFO "a"', 'FIFO "b"'],
  ["syslog://h?tag={input}", "syslog://h (a)", "syslog://h (b)"],
  [
    "syslog+unix:/dev/log?tag={input}",
    "syslog+unix:/dev/log (a)",
    "syslog+unix:/dev/log (b)",
  ],
  ["syslog+tcp://{input}?tag={input}", "syslog+tcp://a", "syslog+tcp://b"],
  ["http://h/{input}?x", "http://h/a", "http://h/b"],
  ["http://h/p?stream={input}", "http://h/p (a)", "http://h/p (b)"],
  ["https://h/p#headers={input}", "https://h/p (a)", "https://h/p (b)"],
  ["nats://h/logs.{input}", "nats://h/logs.a", "nats://h/logs.b"],
  ["nats://h/logs?create={input}", "nats://h/logs (a)", "nats://h/logs (b)"],
];

for (const [output, ...names] of OWN_OUTPUTS) {
  Deno.test(`with --output ${output} each input has an output of its own`, () => {
    const { routes } = resolvePlan(
      parseFlags(["--fifo", "a=x", "--fifo", "b=y", "--output", output]),
    );
    assertEquals(routes.map(({ output }) => output.name), names);
  });
}

Deno.test("a regular file as standard input is read as fast as it is written", () => {
  const policy = (...args: string[]) =>
    resolvePlan(parseFlags(args), CONTAINER, "file").routes[0]!.whenFull;
  assertEquals(policy(), "block");
  assertEquals(policy("--when-full", "overwrite"), "overwrite");
  assertEquals(policy("--fifo", "a"), "overwrite");
  assertEquals(
    resolvePlan(parseFlags([]), CONTAINER, "pipe").routes[0]!.whenFull,
    "overwrite",
  );
});

const CONTAINER = { CONTAINER_ID: "web-1", CONTAINER_NAMESPACE: "k8s.io" };

const KIB = 1024;
const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

/** Arguments, the option they say something about, and what it is then. */
type Accepted = {
  [Name in keyof Options]: readonly [string, Name, Options[Name]];
}[keyof Options];

const ACCEPTED: readonly Accepted[] = [
  ["", "inputs", [{ label: "stdout", source: STANDARD_INPUT }]],
  ["", "create", false],
  ["", "once", false],
  ["", "pipeSizeBytes", MIB],
  ["", "capacityBytes", 16 * MIB],
  ["", "whenFull", "overwrite"],
  ["", "maxLineBytes", 64 * KIB],
  ["", "format", "raw"],
  ["", "markers", true],
  ["", "drainTimeoutMs", 10_000],
  ["", "report", "text"],
  ["", "reportIntervalMs", 10_000],
  ["", "failOnLoss", false],
  ["--fifo /run/app", "inputs", [{
    label: "stdout",
    source: { kind: "fifo", path: "/run/app" },
  }]],
  ["--fifo app", "inputs", [{ label: "stdout", source: { kind: "fifo", path: "app" } }]],
  ["--fifo err=/run/err", "inputs", [{
    label: "err",
    source: { kind: "fifo", path: "/run/err" },
  }]],
  ["--fifo a-B_1.c=x", "inputs", [{
    label: "a-B_1.c",
    source: { kind: "fifo", path: "x" },
  }]],
  ["--fifo ./a=b", "inputs", [{
    label: "stdout",
    source: { kind: "fifo", path: "./a=b" },
  }]],
  ["--fifo /a=b", "inputs", [{
    label: "stdout",
    source: { kind: "fifo", path: "/a=b" },
  }]],
  ["--fifo a=b=c", "inputs", [{ label: "a", source: { kind: "fifo", path: "b=c" } }]],
  ["--fifo /a --fifo err=/b", "inputs", [
    { label: "stdout", source: { kind: "fifo", path: "/a" } },
    { label: "err", source: { kind: "fifo", path: "/b" } },
  ]],
  ["--fifo a --create", "create", true],
  ["--fifo a --once", "once", true],
  ["--pipe-size 4096", "pipeSizeBytes", 4096],
  ["--pipe-size 1g", "pipeSizeBytes", GIB],
  ["--capacity 64KiB", "capacityBytes", 64 * KIB],
  ["--capacity 65537", "capacityBytes", 65_537],
  ["--capacity 2GiB", "capacityBytes", 2 * GIB],
  ["--when-full overwrite", "whenFull", "overwrite"],
  ["--when-full drop-newest", "whenFull", "drop-newest"],
  ["--when-full block", "whenFull", "block"],
  ["--max-line 64", "maxLineBytes", 64],
  ["--max-line 4MiB", "maxLineBytes", 4 * MIB],
  ["--capacity 64KiB --max-line 16KiB", "maxLineBytes", 16 * KIB],
  ["--capacity 64KiB", "maxLineBytes", 16 * KIB],
  ["--capacity 65539", "maxLineBytes", 16 * KIB],
  ["--capacity 2GiB", "maxLineBytes", 64 * KIB],
  ["--format raw", "format", "raw"],
  ["--no-markers", "markers", false],
  ["--drain-timeout 0s", "drainTimeoutMs", 0],
  ["--drain-timeout 1h", "drainTimeoutMs", 3_600_000],
  ["--report json", "report", "json"],
  ["--report none", "report", "none"],
  ["--report-interval 100ms", "reportIntervalMs", 100],
  ["--fail-on-loss", "failOnLoss", true],
  ["", "progress", false],
  ["--progress", "progress", true],
  ["", "metrics", undefined],
  ["--metrics 9464", "metrics", { host: "127.0.0.1", port: 9464 }],
  ["--metrics :9464", "metrics", { host: "127.0.0.1", port: 9464 }],
  ["--metrics 0.0.0.0:0", "metrics", { host: "0.0.0.0", port: 0 }],
  ["--metrics localhost:65535", "metrics", { host: "localhost", port: 65535 }],
  ["--metrics [::1]:9464", "metrics", { host: "::1", port: 9464 }],
];

function split(args: string): string[] {
  return args === "" ? [] : args.split(" ");
}

for (const [args, name, value] of ACCEPTED) {
  Deno.test(`"${args}": ${name} is ${JSON.stringify(value)}`, () => {
    assertEquals<unknown>(resolve(...split(args))[name], value);
  });
}

Deno.test("--output - is standard output, and so is none", () => {
  for (const args of [[], ["--output", "-"]]) {
    const { kind, name } = resolve(...args).output;
    assertEquals([kind, name], ["stdout", "standard output"]);
  }
});

Deno.test("--output is a file, also one with a strange name", () => {
  for (const path of ["app.log", "/var/log/app.log", "./http://x", "a=b", "C D", "./-"]) {
    const { kind, name } = resolve("--output", path).output;
    assertEquals([kind, name], ["file", `"${path}"`]);
  }
});

Deno.test("--containerd reads the container's two streams", () => {
  const { inputs, container } = resolve("--containerd", "--output", "x");
  assertEquals(inputs.map(({ label }) => label), ["stdout", "stderr"]);
  assertEquals(
    inputs.map(({ source }) => source.kind === "descriptor" && source.number),
    [3, 4],
  );
  assertEquals(container, { id: "web-1", namespace: "k8s.io" });
});

Deno.test("--containerd puts the container into the output's path", () => {
  const { output, outputFolders } = resolve(
    ...["--containerd", "--output", "/logs/{namespace}/x/{id}.log"],
  );
  assertEquals(output.name, '"/logs/k8s.io/x/web-1.log"');
  assertEquals(outputFolders, ["/logs/k8s.io", "/logs/k8s.io/x"]);
});

Deno.test("{host} in the output is the machine's name", () => {
  const host = hostName();
  const { output, outputFolders } = resolve("--output", "/logs/{host}/x");
  assertEquals([output.name, outputFolders], [`"/logs/${host}/x"`, [`/logs/${host}`]]);
});

Deno.test("--containerd puts the container into the path of --keep", () => {
  const { keep, keepFolders } = resolve(
    ...["--containerd", "--output", "x", "--keep", "/dev/shm/logs/{namespace}/{id}"],
  );
  assertEquals(keep, "/dev/shm/logs/k8s.io/web-1");
  assertEquals(keepFolders, ["/dev/shm/logs/k8s.io"]);
});

Deno.test("{id} in the output says nothing without --containerd", () => {
  assertThrows(
    () => resolve("--output", "/logs/{id}/x"),
    UsageError,
    '--output: "/logs/{id}/x": {id} is not known; {input} and {host} are',
  );
});

Deno.test("--containerd needs to know the container", () => {
  for (const name of ["CONTAINER_ID", "CONTAINER_NAMESPACE"]) {
    for (const value of [undefined, ""]) {
      const flags = parseFlags(["--containerd", "--output", "x"]);
      const error = assertThrows(
        () => resolvePlan(flags, { ...CONTAINER, [name]: value }),
        UsageError,
      );
      assertMatch(error.message, new RegExp(`^--containerd: ${name} is not set; `));
    }
  }
});

/** Arguments, and what the message says. */
const REFUSED: readonly (readonly [string, string])[] = [
  ["--create", "--create goes with --fifo"],
  ["--once", "--once goes with --fifo"],
  ["--fifo a=", '--fifo "a=" names no path after the label'],
  ["--fifo =a", '--fifo "=a": a label is 1 to 64 letters, digits'],
  ["--fifo a!b=c", "write ./a!b=c if it is a path"],
  [`--fifo ${"x".repeat(65)}=c`, "a label is 1 to 64 letters"],
  ["--fifo é=c", "a label is 1 to 64 letters"],
  ["--fifo a --fifo a", '--fifo "a" was given twice'],
  ["--fifo x=a --fifo y=a", '--fifo "a" was given twice'],
  ["--fifo a --output fifo:a", '--output: FIFO "a" is what --fifo reads, and what'],
  ["--fifo x=b --fifo a --output a", '--output: "a" is what --fifo reads, and what'],
  ["--fifo a/ --fifo a/", '--fifo "a/" was given twice'],
  ["--fifo x=a/", "labelled by their own names; write --fifo a/"],
  ["--fifo a/ --once", "--once goes with named pipes that are given one by one"],
  ["--fifo a/ --output fifo:a/b", '--output: FIFO "a/b" is what --fifo reads, and what'],
  ["--fifo a/ --output fifo:a/{input}.out", "is what --fifo reads, and what"],
  ["--fifo a/ --output {input}.log --format xml", '--format: "xml" is not one of'],
  [
    "--fifo a=x --fifo a.1=y --output {input} --max-size 1k",
    'of the inputs "a.1" would go to "a.1", where "a" rotates its file to; give them',
  ],
  ["--fifo a --fifo b", 'two inputs are called "stdout"; name each: --fifo LABEL=PATH'],
  ["--fifo x=a --fifo x=b", 'two inputs are called "x"'],
  [
    Array.from({ length: 4097 }, (_, index) => `--fifo l${index}=p${index}`).join(" "),
    "--fifo was given 4097 times; at most 4096 work",
  ],
  ["--format json", "; did you mean ndjson (or json-file, for Docker's lines)?"],
  ["--format toString", "elasticsearch-bulk, loki, otlp"],
  ["--when-full drop-oldest", "; did you mean overwrite?"],
  ["--when-full Drop", "; did you mean overwrite (the oldest) or drop-newest?"],
  ["--pipe-size 4095", '--pipe-size: "4095" is out of bounds; write a size from 4KiB to'],
  ["--pipe-size 2g", '--pipe-size: "2g" is out of bounds'],
  ["--pipe-size lots", '--pipe-size: "lots" is not a size'],
  [
    "--capacity 65535",
    '--capacity: "65535" is out of bounds; write a size from 64KiB to 2GiB',
  ],
  ["--capacity 2147483649", "out of bounds"],
  ["--capacity 99999999999999999999", "is out of bounds"],
  ["--capacity 1.5", '--capacity: "1.5" is not a whole number of bytes'],
  ["--capacity 16mb!", '--capacity: "16mb!" is not a size'],
  ["--when-full drop", '--when-full: "drop" is not one of overwrite, drop-newest, block'],
  ["--when-full Overwrite", "is not one of"],
  [
    "--max-line 63",
    '--max-line: "63" is out of bounds; write a size from 64 to 4MiB, a quarter of --capacity',
  ],
  ["--max-line 5MiB", "out of bounds"],
  ["--capacity 64KiB --max-line 16385", "from 64 to 16KiB, a quarter of --capacity"],
  ["--output gopher://x", '--output: "gopher://x" is no destination that is known'],
  ["--output gopher://x", "write ./gopher://x for a file"],
  ["--output htps://x/?key=secret", '"htps://x/?…" is no destination that is known'],
  ["--output http://x/?key=secret&{id}", '"http://x/?…": {id} is not known'],
  ["--format xml", '--format: "xml" is not one of raw'],
  ["--drain-timeout 10", '--drain-timeout: "10" is not a duration'],
  ["--fifo folder/ --keep x", "--keep does not go with a folder of named pipes, such as"],
  ["--keep {input}", '--keep: "{input}": {input} is not known'],
  ["--recover x --fifo y", "--fifo and --recover do not go together"],
  ["--recover x --keep y", "--keep and --recover do not go together"],
  ["--containerd", "--containerd needs an --output"],
  ["--containerd --output -", "--containerd needs an --output"],
  ["--containerd --output x --fifo y", "leave --fifo out"],
  ["--containerd --output x --once", "--once goes with --fifo"],
  ["--containerd --output {name}", '--output: "{name}": {name} is not known'],
  [
    "--containerd --output x --drain-timeout 12s",
    '--drain-timeout: "12s" is too long; at most 11000ms with --containerd',
  ],
  ["--drain-timeout 1000h", '--drain-timeout: "1000h" is too long'],
  ["--report xml", '--report: "xml" is not one of text, json, none'],
  ["--report-interval 99ms", '--report-interval: "99ms" is too short; at least 100ms'],
  ["--report-interval 0s", "too short"],
  ["--metrics localhost", '--metrics: "localhost" is not an address to listen on'],
  ["--metrics 65536", "write a port such as 9464, or HOST:PORT"],
  ["--metrics ::1:9464", "or [::1]:9464"],
  ["--metrics http://localhost:9464/", "is not an address to listen on"],
];

for (const [args, message] of REFUSED) {
  Deno.test(`"${args.slice(0, 60)}" is refused: ${message}`, () => {
    assertThrows(() => resolve(...split(args)), UsageError, message);
  });
}

Deno.test("4096 named pipes are accepted", () => {
  const args = Array.from({ length: 4096 }, (_, index) => `--fifo=l${index}=p${index}`);
  assertEquals(resolve(...args).inputs.length, 4096);
});
