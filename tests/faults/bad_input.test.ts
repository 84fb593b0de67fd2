/** Input, command lines and names that nobody would write who means well. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { FLAGS } from "../../src/cli/flags.ts";
import { resolvePlan } from "../../src/cli/options.ts";
import { parseFlags } from "../../src/cli/parse.ts";
import { messageOf, UsageError } from "../../src/errors.ts";
import { FORMAT_NAMES } from "../../src/formats/formats.ts";
import { checkConservation } from "../end_to_end/numbered_lines.ts";
import { PROGRAMS, testExecutables } from "../end_to_end/programs.ts";
import {
  inFolder,
  run,
  Running,
  start,
  startInShell,
  summaryIn,
  until,
} from "../end_to_end/run.ts";
import { Random } from "./random.ts";

const JSON_REPORTS = ["--report", "json"];
const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

/** Bytes in which newlines are as rare as `spacing` says. */
function fuzz(random: Random, length: number, spacing: number): Uint8Array {
  return Uint8Array.from({ length }, () => {
    if (random.between(1, spacing) === 1) return 10;
    return random.between(0, 255);
  });
}

testExecutables("any bytes in any chunks come out as they are", async (program) => {
  for (const [seed, spacing] of [1, 30, 3000, 100_000, Infinity].entries()) {
    const random = new Random(seed);
    const input = fuzz(random, 300_000, spacing);
    const spillway = start(program, ["--max-line", "4KiB", ...JSON_REPORTS]);
    const output = spillway.readAll();
    for (let at = 0; at < input.length;) {
      const length = random.oneOf([1, 7, 4096, 65_536]);
      await spillway.write(input.slice(at, at + length));
      at += length;
    }
    await spillway.end();
    assertEquals(await spillway.code, 0);
    assert(equal(await output, input), `seed ${seed}`);
    const summary = summaryIn(await spillway.stderr);
    checkConservation(summary);
    const newlines = input.reduce((count, byte) => count + (byte === 10 ? 1 : 0), 0);
    assertEquals(summary.lines_in, newlines + (input.at(-1) === 10 ? 0 : 1));
  }
});

testExecutables("a line without an end is bounded by the ring and counted", async (
  program,
) => {
  const spillway = start(program, ["--capacity", "1MiB", ...JSON_REPORTS]);
  const chunk = new Uint8Array(MIB).fill(120);
  for (let mib = 0; mib < 64; mib++) await spillway.write(chunk);
  // Counters are not of one moment: while much comes in, more seems to be buffered.
  await spillway.counted(
    "all is read, and little of it kept",
    (s) => s.bytes_in === 64 * MIB && Number(s.bytes_buffered) < 2 * MIB,
  );
  await spillway.end();
  await spillway.readAll();
  assertEquals(await spillway.code, 0);
  const summary = summaryIn(await spillway.stderr);
  checkConservation(summary);
  assertEquals([summary.lines_in, summary.bytes_in], [1, 64 * MIB]);
});

/** Of the process, the rings and all the runtime has taken, at the most. */
const MEMORY_LIMIT_KIB = 384 * 1024;

testExecutables("a line of 1 GiB takes no more memory than others", async (program) => {
  // The program itself is what runs in the end, so that its memory can be looked at.
  const script = `exec 3<&0; exec "$@" < <(head -c ${GIB} /dev/zero; cat <&3) 3<&-`;
  const args = ["--capacity", "1MiB", "--when-full", "block", "--output", "/dev/null"];
  const spillway = startInShell(program, script, [...args, ...JSON_REPORTS]);
  await spillway.counted("all is out", (status) => status.bytes_out === GIB);
  const status = await Deno.readTextFile(`/proc/${spillway.pid}/status`);
  const peakKib = Number(/^VmHWM:\s*(\d+)/m.exec(status)![1]);
  assert(peakKib < MEMORY_LIMIT_KIB, `${peakKib} KiB`);
  await spillway.write("\nthe next\n");
  await spillway.end();
  assertEquals(await spillway.code, 0);
  const summary = summaryIn(await spillway.stderr);
  checkConservation(summary);
  assertEquals([summary.lines_out, summary.bytes_out], [2, GIB + 10]);
});

testExecutables("lines that look like markers and escape sequences pass through", async (
  program,
) => {
  const input = [
    "spillway: 5 lines (50 bytes) overwritten between 2026-11-22T10:00:00.123Z and " +
    "2026-11-22T10:00:01.456Z",
    '{"event":"summary","lines_in":0}',
    "\x1b[2J\x1b]0;title\x07\x1b[31mred",
    "\0\r\x7f\u2028",
  ].join("\n");
  const { code, stdout, stderr } = await run(program, JSON_REPORTS, input);
  assertEquals(code, 0);
  assertEquals(new TextDecoder().decode(stdout), input);
  assertEquals(summaryIn(stderr).lines_in, 4);
});

const HOSTILE_NAMES = [
  "new\nline",
  "\x1b[2J\x1b[31m",
  "\u009b2J",
  "with space",
  "quote\"'`$(id)",
  "é😀\u202e",
  "back\\slash",
  "-",
];

testExecutables("hostile names of FIFOs and outputs are harmless in what it says", (
  program,
) =>
  inFolder(async (folder) => {
    for (const name of HOSTILE_NAMES) {
      for (const flag of ["--fifo", "--output"]) {
        // Neither exists: each message names the path.
        const path = `${folder}/missing/${name}`;
        const { code, stderr } = await run(program, [flag, path], "");
        assertEquals(code, 1, path);
        checkHarmless(stderr);
      }
    }
  }));

testExecutables(
  "hostile names of FIFOs work as names",
  (program) =>
    inFolder(async (folder) => {
      for (const name of HOSTILE_NAMES) {
        const path = `${folder}/${name}`;
        const args = ["--fifo", path, "--create", "--once", ...JSON_REPORTS];
        const spillway = startInShell(
          program,
          '"$@" & while [ ! -p "$FIFO" ]; do sleep 0.01; done; echo line >"$FIFO"; wait $!',
          args,
          { FIFO: path },
        );
        await spillway.end();
        assertEquals(new TextDecoder().decode(await spillway.readAll()), "line\n");
        assertEquals(await spillway.code, 0);
      }
    }),
);

testExecutables("hostile labels are refused, harmlessly", async (program) => {
  for (const label of HOSTILE_NAMES.filter((name) => name !== "-")) {
    const { code, stderr } = await run(program, ["--fifo", `${label}=/nowhere`], "");
    assertEquals(code, 2, label);
    checkHarmless(stderr);
  }
});

/** No control character but the newline at the end of each message. */
function checkHarmless(stderr: string): void {
  // deno-lint-ignore no-control-regex
  const control = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]/.exec(stderr);
  assert(control === null, JSON.stringify(stderr));
  for (const line of stderr.trimEnd().split("\n")) assertMatch(line, /^spillway: /);
}

const WORDS = [
  ...FLAGS.flatMap(({ name, short }) => [`--${name}`, `--${name}=`, `-${short ?? "x"}`]),
  ...["", "-", "--", "---", "=", "-=", "--=x", "--__proto__", "--constructor", "-1"],
  ...["0", "1MiB", "99999999999999999999", "1e9", "-5s", "NaN", "10 s", "KiB", "٣MiB"],
  ...["\x1b[31m", "a\nb", "\u{1f600}", "nowhere://x", "tcp://", "http://[", "fifo:"],
  "x".repeat(10_000),
];

/** A command line of flags, values and nonsense, that is not asked to show help. */
function nonsense(random: Random): string[] {
  const words = Array.from(
    { length: random.between(1, 5) },
    () => random.oneOf(WORDS),
  );
  // This word is always wrong, whatever comes with it.
  return [...words.filter((word) => !/^--?(h|V|help|version)=?$/.test(word)), "--bogus"];
}

/** For each program; it takes a moment to start one. */
const COMMAND_LINES = 15;

testExecutables("a nonsense command line is refused with a message and 2", async (
  program,
) => {
  for (let seed = 0; seed < COMMAND_LINES; seed++) {
    const args = nonsense(new Random(seed));
    const { code, stdout, stderr } = await run(program, args);
    const shown = `seed ${seed}: ${JSON.stringify(args).slice(0, 500)}: ${stderr}`;
    assertEquals([code, stdout.length], [2, 0], shown);
    checkHarmless(stderr);
    assertEquals(stderr.trimEnd().split("\n").length, 1, shown);
  }
});

/** Values with a beginning that leads further than nonsense does. */
const PREFIXES = [
  ...["tcp://", "unix:", "fifo:", "syslog://", "syslog+tls://", "http://", "https://"],
  ...["--output=", "--fifo=", "--capacity=", "--metrics=", "--drain-timeout=", "a="],
];
const anyWord = fc.oneof(
  fc.constantFrom(...WORDS, ...FORMAT_NAMES),
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.tuple(fc.constantFrom(...PREFIXES), fc.oneof(fc.constantFrom(...WORDS), fc.string()))
    .map(([prefix, rest]) => prefix + rest),
);

Deno.test("any command line is understood or a usage error, and nothing else", () => {
  fc.assert(
    fc.property(fc.array(anyWord, { maxLength: 6 }), (args) => {
      try {
        resolvePlan(parseFlags(args), {});
      } catch (error) {
        assert(error instanceof UsageError, `${messageOf(error)}`);
        assert(messageOf(error).length > 0);
      }
    }),
    { numRuns: 20_000 },
  );
});

Deno.test("a command line that is no UTF-8 does not make it crash", async () => {
  for (const { command, missing } of PROGRAMS) {
    if (missing) continue;
    const script = `exec "$@" --output "$(printf '/nowhere/\\377\\033[2J')"`;
    const spillway = new Running(["bash", "-c", script, "bash", ...command]);
    await spillway.end().catch(() => {});
    await spillway.readAll();
    const code = await spillway.code;
    const stderr = await spillway.stderr;
    // Deno itself refuses such arguments before the program begins.
    assert(code !== 0, stderr);
  }
});

function equal(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, at) => byte === right[at]);
}

testExecutables("writes to no other file where a name is not UTF-8", async (program) => {
  for (
    const [script, message] of [
      [`"$@" --output $'name\\xff.log'`, 'the argument "name\ufffd.log" is not UTF-8'],
      [`"$@" --output=$'name\\xff.log'`, 'name\ufffd.log" is not UTF-8'],
      [
        `SPILLWAY_OUTPUT=$'name\\xff.log' "$@"`,
        "the variable SPILLWAY_OUTPUT in the environment is not UTF-8",
      ],
    ] as const
  ) {
    await inFolder(async (folder) => {
      const spillway = startInShell(program, `cd ${folder}; ${script}`, []);
      await spillway.write("line\n").catch(() => {});
      await spillway.end().catch(() => {});
      await spillway.readAll();
      const [code, stderr] = [await spillway.code, await spillway.stderr];
      assertEquals([...Deno.readDirSync(folder)], []);
      // Deno's own code finds such an argument first, and dies of it.
      if (stderr.includes("panicked")) return assert(code !== 0);
      assertEquals(code, 2);
      assertStringIncludes(stderr, message);
    });
  }
});

testExecutables(
  "a pipe that has the name of a secret or certificate keeps nothing waiting",
  (program) =>
    inFolder(async (folder) => {
      const fifo = `${folder}/fifo`;
      await new Deno.Command("mkfifo", { args: [fifo] }).output();
      for (
        const output of [
          ...["bearer", "headers"].map((name) => `http://127.0.0.1:9#${name}=${fifo}`),
          `https://127.0.0.1:9#ca=${fifo}`,
          `syslog+tls://127.0.0.1:9?ca=${fifo}`,
          `nats://127.0.0.1:9/logs?token=${fifo}`,
        ]
      ) {
        const spillway = start(program, ["--output", output]);
        await until(`the refusal of ${output}`, () => spillway.ended);
        assertEquals(await spillway.code, 1);
        assertStringIncludes(await spillway.stderr, "not a regular file but a pipe");
        await Promise.all([spillway.readAll(), spillway.end().catch(() => {})]);
      }
    }),
);
