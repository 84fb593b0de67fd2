import { assert, assertEquals, assertMatch } from "@std/assert";
import { needing } from "../end_to_end/installed.ts";
import { inFolder, reportsIn, until } from "../end_to_end/run.ts";
import { Shim } from "../end_to_end/shim.ts";
import { DOCUMENTS, MANUAL } from "./documents.ts";
import { commandsIn, fencesIn } from "./markdown.ts";
import { RECEIVED, type Stage, testOnStage } from "./stage.ts";

/** What the stand-in for `service` writes to standard output, and to standard error. */
const LINES = "1\n2\n3\n";
const WARNING = "a warning\n";

const INSTALL = 'curl -fLO "$releases/$file" && curl -fL "$releases/SHA256SUMS" | ' +
  'sha256sum --check --ignore-missing && sudo install "$file" /usr/local/bin/spillway';

/** What is not run here, and why. */
const NOT_RUN: Record<string, string> = {
  "git clone <this repository> && cd spillway": "the tests run in such a clone",
  "releases=<this repository>/releases/download/v0.1.0": "begins the next but one",
  "file=spillway-0.1.0-linux-$(uname -m)-glibc-deno": "begins the next",
  [INSTALL]: "release.test.ts runs it on a release that was made here",
  "npx --yes deno@2.9.6 task compile": "is run before the tests: build_programs.ts",
  "npx --yes deno@2.9.6 task compile:bun": "is run before the tests: build_programs.ts",
  "npx --yes deno@2.9.6 task bundle": "is run before the tests: build_programs.ts",
  "npx --yes deno@2.9.6 task test": "runs this test",
  "sudo apt-get install --no-install-recommends $(grep -v '^#' tests/debian_packages)":
    "would change this machine; .ci/run does the same",
};

/** Programs that a command needs, or its peer, and their Debian packages. */
const TOOLS = [
  [/syslog/, "rsyslogd", "rsyslog"],
  [/^jq/, "jq", "jq"],
  [/--metrics/, "curl", "curl"],
  [/nats:|fleet/, "nats-server", "nats-server"],
  [/^spillway --man/, "man", "man-db"],
] as const;

type Check = (stage: Stage, command: string) => Promise<void>;

/** By the command's beginning: what must be true of it. Each is run at least. */
const CHECKS: Record<string, Check> = {
  "seq 10000000 | npx": async (stage, command) => {
    const { stdout, stderr } = await stage.run(command);
    // On a busy machine there may be more than one: then not only the reader is late, but
    // also the thread that writes to it.
    const found = stdout.trim().split("\n").filter((line) => line !== "--");
    const gaps = found.flatMap((line, index) => {
      const missing = /^spillway: (\d+) lines \(\d+ bytes\) overwritten/.exec(line)?.[1];
      return missing === undefined ? [] : [{ index, missing: Number(missing) }];
    });
    assert(gaps.length > 0, stdout);
    for (const { index, missing } of gaps) {
      assertEquals(Number(found[index - 1]) + missing + 1, Number(found[index + 1]));
    }
    assertMatch(stderr, /10000000 lines \(78.9 MB\) in/);
  },
  "spillway -- service": async (stage, command) => {
    assertEquals(await stage.run(command), { stdout: LINES, stderr: WARNING });
  },
  "spillway --output app.log --max-size": writes("app.log", WARNING + LINES),
  "service 2>&1 |": writes("/var/log/service.log", WARNING + LINES),
  "spillway --fifo /run/app.fifo": async (stage, command) => {
    const running = stage.start(command);
    await until("the FIFO", () => stage.exists("/run/app.fifo"));
    await stage.run("seq 3 >/run/app.fifo");
    await until("the lines", () => stage.text("/var/log/app.log") === LINES);
    await running.kill("SIGTERM");
    assertEquals([await running.code, stage.exists("/run/app.fifo")], [0, true]);
  },
  "spillway --fifo /run/logs/": async (stage, command) => {
    const running = stage.start(command);
    await until("the folder", () => stage.exists("/run/logs"));
    await stage.run("mkfifo /run/logs/web && seq 3 >/run/logs/web");
    await until("the lines", () => stage.text("/var/log/web.log") === LINES);
    await running.kill("SIGTERM");
    assertEquals(await running.code, 0);
  },
  "spillway --fifo stdout=": async (stage, command) => {
    await stage.run("mkfifo /run/out /run/err");
    const running = stage.start(command);
    await stage.run("seq 3 >/run/out; echo a warning >/run/err");
    const sorted = () => stage.text(`${RECEIVED}/driver`).split("\n").sort().join("\n");
    const expected = (WARNING + LINES).split("\n").sort().join("\n");
    await until("both streams", () => sorted() === expected);
    Deno.kill(await stage.spillwayPid(), "SIGTERM");
    assertEquals(await running.code, 0);
  },
  "service | spillway --fail-on-loss --report json 2>spillway.json": async (
    stage,
    command,
  ) => {
    await stage.run(command);
    assertEquals(stage.text(`${RECEIVED}/driver`), LINES);
    assertEquals(reportsIn(stage.text("spillway.json")).at(-1)!.lines_out, 3);
  },
  "service | spillway --output app.log": writes("app.log", LINES),
  "service | spillway --output fifo:": async (stage, command) => {
    const running = stage.start(command);
    await until("the FIFO", () => stage.exists("/run/service.log"));
    assertEquals((await stage.run("cat /run/service.log")).stdout, LINES);
    assertEquals(await running.code, 0);
  },
  "service | spillway --output tcp:": receives("tcp", /^({.*"message":"\d"}\n){3}$/),
  "service | spillway --output unix:": receives("unix", /^1\n2\n3\n$/),
  "service | spillway --output 'syslog://": receives(
    "syslog",
    /^(local0.info api stdout \d\n){3}$/,
  ),
  "service | spillway --output syslog+tcp:": receives(
    "syslog",
    /^(\w+.info spillway stdout \d\n){3}$/,
  ),
  "service | spillway --output 'syslog+tls:": receives(
    "syslog",
    /^(\w+.info spillway stdout \d\n){3}$/,
  ),
  "service | spillway --output syslog+unix:": receives(
    "syslog",
    /^(\w+.info spillway - {2}\d\n){3}$/,
  ),
  "service | spillway --output https://logs.example.org/loki": receives(
    "https",
    /^null\n{"streams":\[{"stream":{"job":"spillway","input":"stdout".*\["\d{19}","3"\]\]}\]}$/,
  ),
  "service | spillway --output https://logs.example.org/v1": receives(
    "https",
    /^null\n{"resourceLogs":\[{"resource".*"body":{"stringValue":"3"}.*}$/,
  ),
  "service | spillway --output 'https://logs": receives(
    "https",
    /^Bearer secret\n({.*"message":"\d"}\n){3}$/,
  ),
  "service | spillway --output 'https://es": receives(
    "bulk",
    /^Basic bWU6c2VjcmV0\n({"create":.*}\n{.*"message":"\d"}\n){3}$/,
  ),
  "service | spillway --output 'nats://": async (stage, command) => {
    assertMatch((await stage.run(command)).stderr, /3 lines \(6 B\) out, in/);
  },
  "spillway --fifo shop=": async (stage, command) => {
    const running = stage.start(command);
    await until("the FIFO", () => stage.exists("/run/shop.log"));
    await stage.run("seq 3 >/run/shop.log");
    await running.kill("SIGTERM");
    assertEquals(await running.code, 0, await running.stderr);
    assertMatch(await running.stderr, /3 lines \(6 B\) out, in/);
  },
  "npx --yes deno@2.9.6 run --allow-net tests/recipes/fleet.ts": async (
    stage,
    command,
  ) => {
    const reading = stage.start(`(${command}) >/run/fleet.log`);
    const host = Deno.hostname();
    const expected = [1, 2, 3].map((line) => `${host} shop ${line}\n`).join("");
    await until("the lines", () => stage.text("/run/fleet.log") === expected);
    // What is left of it ends with the stage.
    Deno.kill(reading.pid, "SIGKILL");
    await reading.code;
  },
  "service 2> >(": async (stage, command) => {
    await stage.run(command);
    assertEquals(stage.text("service.log"), LINES);
    // The shell does not wait for what is in parentheses.
    await until("standard error", () => stage.text("service.err") === WARNING);
  },
  "service | spillway --fail-on-loss --report json --output": writes("app.log", LINES),
  "jq ": async (stage, command) => {
    const { stdout } = await stage.run(command);
    assertEquals(JSON.parse(stdout), {
      lines_in: 3,
      lines_out: 3,
      lines_overwritten: 0,
    });
  },
  "service | spillway --metrics 9464": async (stage, command) => {
    await stage.run("mkfifo /run/more");
    const running = stage.start(`service() { seq 3; cat /run/more; }; ${command}`);
    await stage.run(
      "until curl -sf localhost:9464/metrics >/run/metrics; do sleep 0.05; done",
    );
    assertMatch(
      stage.text("/run/metrics"),
      /^spillway_input_lines_total{input="stdout"}/m,
    );
    await stage.run(": >/run/more");
    assertEquals(await running.code, 0);
  },
  "service | deno run": writes("app.log", LINES),
  "source <(spillway --completions bash)": async (stage, command) => {
    const { stdout } = await stage.run(`${command}; complete -p spillway`);
    assertEquals(stdout, "complete -F _spillway spillway\n");
  },
  "spillway --man": async (stage, command) => {
    assertMatch((await stage.run(command)).stdout, /^SPILLWAY\(1\).*--when-full POLICY/s);
  },
  "ctr run": logsAContainer(/^(\S+ (stdout|stderr) F (1|a warning)\n){2}$/),
  "nerdctl run": logsAContainer(/^({"log":"(1|a warning)\\n",.*}\n){2}$/),
};

function writes(path: string, expected: string): Check {
  return async (stage, command) => {
    await stage.run(`rm -f ${path}`);
    await stage.run(command);
    assertEquals(stage.text(path).split("\n").sort(), expected.split("\n").sort());
  };
}

/** By what the peer has got when the command has ended, or soon after. */
function receives(peer: string, expected: RegExp): Check {
  return async (stage, command) => {
    const path = `${RECEIVED}/${peer}`;
    const before = stage.text(path).length;
    await stage.run(command);
    const got = () => stage.text(path).slice(before);
    await until(() => `${peer}: ${expected}, got: ${got()}`, () => expected.test(got()));
  };
}

/** Of the command only the log URI counts: it is taken apart as containerd does it. */
function logsAContainer(expected: RegExp): Check {
  return (stage, command) =>
    inFolder(async (folder) => {
      const uri = new URL(/'(binary:[^']+)'/.exec(command)![1]!);
      const args = [...uri.searchParams].flat();
      const program = {
        name: uri.pathname,
        // The shim's folder has the same path on the stage.
        command: stage.entering([uri.pathname], folder),
        missing: false,
      };
      const shim = await Shim.start(program, folder, args);
      assertEquals(await shim.ready, new Uint8Array(1));
      await shim.stdout.write(new TextEncoder().encode("1\n"));
      await shim.stderr.write(new TextEncoder().encode(WARNING));
      shim.stdout.close();
      shim.stderr.close();
      assertEquals(await shim.code, 0);
      assertMatch(stage.text("/var/log/shop/web-1.log"), expected);
      await stage.run("rm /var/log/shop/web-1.log");
    });
}

const scripts = fencesIn(MANUAL).filter(({ language }) => language === "sh");
const commands = scripts.flatMap(({ text }) => commandsIn(text));

/** The check with the longest beginning in common with the command. */
function checkOf(command: string): string | undefined {
  return Object.keys(CHECKS).filter((beginning) => command.startsWith(beginning))
    .sort((one, other) => other.length - one.length)[0];
}

Deno.test("every command of the README is run, or it is said why it is not", () => {
  const known = (command: string) => command in NOT_RUN || checkOf(command) !== undefined;
  assertEquals(commands.filter((command) => !known(command)), []);
  const gone = [
    ...Object.keys(NOT_RUN).filter((command) => !commands.includes(command)),
    ...Object.keys(CHECKS).filter((key) => !commands.some((c) => checkOf(c) === key)),
  ];
  assertEquals(gone, [], "there are checks of what the README no longer says");
});

Deno.test("every task that the README names is one of deno.json", async () => {
  const config = new URL("../../deno.json", import.meta.url);
  const { tasks } = JSON.parse(await Deno.readTextFile(config));
  const named = [
    ...[...DOCUMENTS.values()].join("").matchAll(
      /\bdeno(?:@[0-9.]+)? task (?:--quiet )?([a-z][a-z:-]*)/g,
    ),
  ];
  assert(named.length > 0);
  for (const [text, task] of named) assert(task! in tasks, text);
});

testOnStage("the README's commands do what it says", async (t, stage) => {
  for (const command of commands) await runCommand(t, stage, command);
});

async function runCommand(t: Deno.TestContext, stage: Stage, command: string) {
  const check = checkOf(command);
  const why = NOT_RUN[command];
  if (why !== undefined || check === undefined) {
    await t.step({ name: `${command} (${why})`, ignore: true, fn: () => {} });
    return;
  }
  const tool = TOOLS.find(([pattern]) => pattern.test(command));
  const name = tool === undefined
    ? { name: command, ignore: false }
    : needing(command, tool[1], tool[2]);
  await t.step({
    ...name,
    fn: async () => {
      await stage.run("rm -f /run/spillway.pid");
      await CHECKS[check]!(stage, command);
    },
  });
}
