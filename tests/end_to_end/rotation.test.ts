import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { checkConservation, numberedLines } from "./numbered_lines.ts";
import { NEEDS_ROOT, NEEDS_STRACE } from "./installed.ts";
import { limitThreads } from "./limits.ts";
import { NOBODY, NOBODYS_PROGRAMS, startAsNobody } from "./nobody.ts";
import { type Program, testExecutables } from "./programs.ts";
import { inFolder, run, Running, start, summaryIn, until } from "./run.ts";
import { onSmallDisk } from "./small_disk.ts";

/** Until all is compressed, which gets the processor when nobody else wants it. */
const COMPRESS = ["--compress", "--drain-timeout", "10m"];
const JSON_REPORTS = ["--report", "json"];
const LINE = 100;
const MIB = 1024 * 1024;
/** The names of all files, and what they hold from the oldest line to the newest. */
async function readFiles(path: string): Promise<{ names: string[]; text: string }> {
  const folder = path.slice(0, path.lastIndexOf("/"));
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name)
    .sort((a, b) => numberIn(a) - numberIn(b));
  let text = "";
  for (const name of names.toReversed()) {
    text += name.endsWith(".gz")
      ? await decompress(`${folder}/${name}`)
      : await Deno.readTextFile(`${folder}/${name}`);
  }
  return { names, text };
}

function numberIn(name: string): number {
  const match = /^app\.log(?:\.(\d+)(?:\.gz)?)?$/.exec(name);
  if (match === null) throw new Error(`what is ${name}?`);
  return Number(match[1] ?? 0);
}

async function decompress(file: string): Promise<string> {
  const gzip = (flag: string) =>
    new Deno.Command("gzip", { args: [flag, file] }).output();
  const test = await gzip("-t");
  assert(test.success, new TextDecoder().decode(test.stderr));
  return new TextDecoder().decode((await gzip("-dc")).stdout);
}

function numbered(count: number, extension = ""): string[] {
  return [
    "app.log",
    ...Array.from({ length: count }, (_, index) => `app.log.${index + 1}${extension}`),
  ];
}

testExecutables(
  "rotates a file by size, and cuts no line",
  (program) =>
    inFolder(async (folder) => {
      const path = `${folder}/app.log`;
      const count = 10_000;
      const flags = ["--output", path, "--max-size", "99950", "--max-files", "20"];
      const { code } = await run(program, flags, numberedLines(0, count));
      assertEquals(code, 0);
      const { names, text } = await readFiles(path);
      assertEquals(names, numbered(10));
      assertEquals(text, numberedLines(0, count));
      for (const name of names.slice(1)) {
        assertEquals(Deno.statSync(`${folder}/${name}`).size, 999 * LINE);
      }
    }),
);

testExecutables(
  "keeps what makes one record together when it rotates",
  (program) =>
    inFolder(async (folder) => {
      const path = `${folder}/app.log`;
      const flags = ["--output", path, "--max-size", "5000", "--max-files", "100"];
      const bulk = [...flags, "--format", "elasticsearch-bulk"];
      const { code } = await run(program, bulk, numberedLines(0, 300));
      assertEquals(code, 0);
      const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
      assert(names.length > 10);
      for (const name of names) {
        const text = await Deno.readTextFile(`${folder}/${name}`);
        assert(text.length <= 5000);
        const lines = text.split("\n").slice(0, -1).map((line) => JSON.parse(line));
        lines.forEach((line, index) => assertEquals("create" in line, index % 2 === 0));
        assertEquals(lines.length % 2, 0);
      }
    }),
);

testExecutables(
  "keeps so many files as were asked for, over several runs",
  (program) =>
    inFolder(async (folder) => {
      const path = `${folder}/app.log`;
      const flags = ["--output", path, "--max-size", "10000", "--max-files", "3"];
      for (let round = 0; round < 3; round++) {
        await run(program, flags, numberedLines(round * 250, 250));
      }
      const { names, text } = await readFiles(path);
      assertEquals(names, numbered(2));
      assertEquals(text, numberedLines(500, 250));
    }),
);

testExecutables(
  "empties a single file when it is full",
  (program) =>
    inFolder(async (folder) => {
      const path = `${folder}/app.log`;
      const flags = ["--output", path, "--max-size", "10000", "--max-files", "1"];
      await run(program, flags, numberedLines(0, 250));
      const { names, text } = await readFiles(path);
      assertEquals([names, text], [["app.log"], numberedLines(200, 50)]);
    }),
);

testExecutables(
  "compresses what was rotated, while it runs and before it ends",
  (program) =>
    inFolder(async (folder) => {
      const path = `${folder}/app.log`;
      const spillway = start(program, [
        ...["--output", path, "--max-size", "100000", "--max-files", "50", ...COMPRESS],
        ...JSON_REPORTS,
      ]);
      await spillway.write(numberedLines(0, 4500));
      await until("all of it to be compressed", () => {
        const found = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
        return found.join() === numbered(4, ".gz").join();
      });
      await spillway.write(numberedLines(4500, 10_000));
      await spillway.end();
      assertEquals(await spillway.code, 0);
      const { names, text } = await readFiles(path);
      assertEquals(names, numbered(14, ".gz"));
      assertEquals(text, numberedLines(0, 14_500));
      checkConservation(summaryIn(await spillway.stderr));
    }),
);

/** Where a program is killed, before the system gets to do what it has called for. */
interface Kill {
  readonly call: string;
  /** Which of them, counted in each thread. */
  readonly at: number;
  /** Counts only those that name one of these, or use it under a descriptor. */
  readonly names?: readonly string[];
  readonly compress?: true;
}

const KILLS: readonly Kill[] = [
  // Two renames in the first rotation, three in the second, four in the third.
  ...[1, 2, 3, 5, 6].map((at) => ({ call: "/^rename", at })),
  // Before the next file is made.
  { call: "/^open", at: 4, names: ["app.log"] },
  // With a compressed file that has no name yet, and with one whose original is there.
  { call: "fsync", at: 1, names: ["app.log.compressing"], compress: true },
  { call: "/^unlink", at: 1, names: numbered(9).slice(1), compress: true },
];

function startMortal(program: Program, kill: Kill, folder: string, flags: string[]) {
  const names = (kill.names ?? []).flatMap((name) => ["-P", `${folder}/${name}`]);
  const inject = `inject=${kill.call}:signal=KILL:when=${kill.at}`;
  const strace = ["strace", "-f", "-o", "/dev/null", ...names];
  return new Running([
    ...[...strace, "-e", `trace=${kill.call}`, "-e", inject],
    ...[...program.command, ...flags],
  ]);
}

testExecutables(
  "loses nothing that was written when it is killed in a rotation, and carries on in order",
  async (program) => {
    const trials = KILLS.map((kill) =>
      inFolder((folder) => surviveKill(program, kill, folder))
    );
    await Promise.all(trials);
  },
  NEEDS_STRACE,
);

async function surviveKill(program: Program, kill: Kill, folder: string) {
  const path = `${folder}/app.log`;
  const flags = ["--output", path, "--max-size", "10000", "--max-files", "50"];
  const compress = kill.compress ? ["--compress"] : [];
  const mortal = startMortal(program, kill, folder, [...flags, ...compress]);
  await mortal.write(numberedLines(0, 950)).catch(() => {});
  const where = `${kill.call} ${kill.at}`;
  // Its input goes on, so that nothing but the kill ends it, however late that comes.
  await until(`the death at ${where}`, () => mortal.ended);
  await mortal.end().catch(() => {});
  assert(await mortal.code !== 0, `${where} did not kill it`);

  // What was left is compressed by the next run, whatever it writes itself.
  const next = numberedLines(1_000_000, 250);
  const { code } = await run(program, [...flags, ...COMPRESS], next);
  assertEquals(code, 0, where);
  const { names, text } = await readFiles(path);
  assertEquals(names, numbered(names.length - 1, ".gz"), where);
  const written = text.length / LINE - 250;
  assertEquals(text, numberedLines(0, written) + next, where);
  assert(written >= 100, `only ${written} lines after ${where}`);
}

testExecutables(
  "waits for room on a full disk in the middle of a rotated file, and loses nothing",
  (program) =>
    onSmallDisk(2 * MIB, async (disk) => {
      const ballast = `${disk}/ballast`;
      await Deno.mkdir(`${disk}/logs`);
      await Deno.writeFile(ballast, new Uint8Array(1.5 * MIB));
      const path = `${disk}/logs/app.log`;
      const spillway = start(program, [
        ...["--output", path, "--max-size", "150000", "--max-files", "20"],
        ...JSON_REPORTS,
      ]);
      const count = 10_000;
      await spillway.write(numberedLines(0, count));
      await spillway.reported("the full disk", ({ event }) => event === "sink_failing");
      await Deno.remove(ballast);
      await spillway.end();
      assertEquals(await spillway.code, 0);
      const { names, text } = await readFiles(path);
      assertEquals(names, numbered(6));
      assertEquals(text, numberedLines(0, count));
      checkConservation(summaryIn(await spillway.stderr));
    }),
  NEEDS_ROOT,
);

testExecutables(
  "takes a line that a full disk has cut along to the file that SIGHUP opens",
  (program) =>
    onSmallDisk(MIB, (disk) =>
      inFolder(async (folder) => {
        const path = `${folder}/app.log`;
        await Deno.symlink(`${disk}/app.log`, path);
        const spillway = start(program, ["--output", path, ...JSON_REPORTS]);
        const count = 15_000;
        await spillway.write(numberedLines(0, count));
        await spillway.reported("the full disk", ({ event }) => event === "sink_failing");
        const { size } = await Deno.stat(path);
        assert(size % LINE !== 0, "the disk was full between two lines");
        await Deno.remove(path);
        await spillway.kill("SIGHUP");
        await spillway.reported("the new one", ({ event }) => event === "sink_recovered");
        await spillway.end();
        assertEquals(await spillway.code, 0);
        const [old, next] = [
          await Deno.readTextFile(`${disk}/app.log`),
          await Deno.readTextFile(path),
        ];
        assertEquals(old.length, size - size % LINE);
        assertEquals(old + next, numberedLines(0, count));
        const summary = summaryIn(await spillway.stderr);
        checkConservation(summary);
        assertEquals(summary.bytes_out, count * LINE);
      })),
  NEEDS_ROOT,
);

testExecutables(
  "leaves the plain file where there is no room to compress it",
  (program) =>
    onSmallDisk(MIB, async (disk) => {
      await Deno.mkdir(`${disk}/logs`);
      const path = `${disk}/logs/app.log`;
      // Two files of noise fit, but no third, and noise does not get smaller.
      const noise = new Uint8Array(400_000);
      for (let at = 0; at < noise.length; at += 50_000) {
        crypto.getRandomValues(noise.subarray(at, at + 50_000));
      }
      noise[noise.length - 1] = 10;
      await Deno.writeFile(path, noise);
      const spillway = start(program, [
        ...["--output", path, "--max-size", "400000", "--compress"],
        ...JSON_REPORTS,
      ]);
      await Deno.writeFile(`${disk}/ballast`, new Uint8Array(400_000));
      await spillway.write("one line\n");
      const report = await spillway.reported(
        "the failure",
        ({ event }) => event === "rotation_failing",
      );
      assertMatch(report.message!, /cannot write ".*app.log.compressing": No space left/);
      await spillway.end();
      assertEquals(await spillway.code, 0);
      const names = [...Deno.readDirSync(`${disk}/logs`)].map(({ name }) => name).sort();
      assertEquals(names, numbered(1));
      assertEquals(await Deno.readFile(`${path}.1`), noise);
      assertEquals(await Deno.readTextFile(path), "one line\n");
    }),
  NEEDS_ROOT,
);

testExecutables(
  "goes on where no thread can be started, and compresses when one can be again",
  (program) =>
    inFolder(async (folder) => {
      await Deno.chmod(folder, 0o777);
      const path = `${folder}/app.log`;
      const args = ["--output", path, "--max-size", "400000", ...COMPRESS];
      const spillway = startAsNobody(program, [...args, ...JSON_REPORTS]);
      await spillway.write(numberedLines(0, 1));
      await spillway.counted("it runs", (status) => status.lines_out === 1);
      await limitThreads(spillway.pid, 1, NOBODY);
      await spillway.write(numberedLines(1, 9999));
      const refused = await spillway.reported(
        "the refusal",
        ({ event }) => event === "output_notice",
      );
      assertMatch(
        refused.message!,
        /^cannot start the compressor thread: .*; raise the limit of processes/,
      );
      assert(!spillway.ended);
      await limitThreads(spillway.pid, 1000, NOBODY);
      await spillway.end();
      assertEquals(await spillway.code, 0);
      const { names, text } = await readFiles(path);
      assertEquals(text, numberedLines(0, 10_000));
      assertEquals(names, ["app.log", "app.log.1.gz", "app.log.2.gz"]);
    }),
  NOBODYS_PROGRAMS,
);

testExecutables(
  "says that it cannot rotate, and writes on",
  (program) =>
    inFolder(async (folder) => {
      const path = `${folder}/app.log`;
      // The file that is written to cannot get this name.
      await Deno.mkdir(`${path}.0`);
      await Deno.writeTextFile(`${path}.1`, "older\n");
      const flags = ["--output", path, "--max-size", "10000", ...JSON_REPORTS];
      const { code, stderr } = await run(program, flags, numberedLines(0, 1000));
      assertEquals(code, 0);
      assertEquals(await Deno.readTextFile(path), numberedLines(0, 1000));
      assertEquals(await Deno.readTextFile(`${path}.1`), "older\n");
      const failures = stderr.split("\n").filter((line) =>
        line.includes("rotation_failing")
      );
      assertEquals(failures.length, 1);
      assertStringIncludes(failures[0]!, "grows beyond --max-size until this works");
    }),
);

testExecutables(
  "lets one of two that rotate the same file wait for the other, and loses nothing",
  (program) =>
    inFolder(async (folder) => {
      const path = `${folder}/app.log`;
      const args = ["--output", path, "--max-size", "100000", "--max-files", "50"];
      const all = [...args, ...COMPRESS, ...JSON_REPORTS];
      const count = 5000;
      const first = start(program, all);
      await first.write(numberedLines(0, 1));
      await first.counted("it has the file", (s) => s.lines_out === 1);
      const second = start(program, all);
      await second.write(numberedLines(count, count));
      await second.reported(
        "the holder",
        ({ event, message }) =>
          event === "sink_failing" && message!.includes(`: process ${first.pid} (`),
      );
      await first.write(numberedLines(1, count - 1));
      await first.end();
      assertEquals(await first.code, 0);
      await second.end();
      assertEquals(await second.code, 0);
      for (const spillway of [first, second]) {
        await spillway.readAll();
        checkConservation(summaryIn(await spillway.stderr));
      }
      assertEquals((await readFiles(path)).text, numberedLines(0, 2 * count));
    }),
);

testExecutables(
  "lets several append to one file that is not rotated, whole lines each",
  (program) =>
    inFolder(async (folder) => {
      const path = `${folder}/app.log`;
      const counts = [0, 1, 2].map((part) => numberedLines(part * 1000, 1000));
      const runs = counts.map(() => start(program, ["--output", path, ...JSON_REPORTS]));
      for (const [index, spillway] of runs.entries()) {
        await spillway.write(counts[index]!);
        await spillway.counted("all is out", (s) => s.lines_out === 1000);
      }
      for (const spillway of runs) {
        await spillway.end();
        assertEquals(await spillway.code, 0);
        await spillway.readAll();
      }
      const sorted = (text: string) => text.split("\n").toSorted().join("\n");
      const text = await Deno.readTextFile(path);
      assertEquals(sorted(text), sorted(numberedLines(0, 3000)));
    }),
);

testExecutables(
  "loses no rotated file where the one that is written to is mounted and cannot move",
  (program) =>
    inFolder(async (folder) => {
      const path = `${folder}/app.log`;
      const older = numbered(4).slice(1).map((name) => `${folder}/${name}`);
      for (const name of older) await Deno.writeTextFile(name, name);
      await Deno.writeTextFile(`${folder}/real`, "");
      await Deno.writeTextFile(path, "");
      const mount = await new Deno.Command("mount", {
        args: ["--bind", `${folder}/real`, path],
      }).output();
      assert(mount.success);
      try {
        const args = ["--output", path, "--max-size", "10000", ...JSON_REPORTS];
        const { code, stderr } = await run(program, args, numberedLines(0, 1000));
        assertEquals(code, 0);
        assertStringIncludes(stderr, "cannot rename");
        assertEquals(await Deno.readTextFile(path), numberedLines(0, 1000));
        for (const name of older) assertEquals(await Deno.readTextFile(name), name);
      } finally {
        await new Deno.Command("umount", { args: [path] }).output();
      }
    }),
  NEEDS_ROOT,
);

testExecutables(
  "is not held up by a pipe, a folder or a link that has the name of a rotated file",
  (program) =>
    inFolder(async (folder) => {
      const path = `${folder}/app.log`;
      const fifo = await new Deno.Command("mkfifo", { args: [`${path}.1`] }).output();
      assert(fifo.success);
      await Deno.mkdir(`${path}.2`);
      await Deno.symlink("nowhere", `${path}.3.gz`);
      const args = ["--output", path, "--max-size", "10000", "--max-files", "20"];
      const { code, stderr } = await run(
        program,
        [...args, ...COMPRESS, ...JSON_REPORTS],
        numberedLines(0, 1000),
      );
      assertEquals(code, 0);
      assert(!stderr.includes("rotation_failing"), stderr);
      for (const name of [".1", ".2", ".3.gz"]) await Deno.remove(path + name);
      const { names, text } = await readFiles(path);
      assertEquals(names.slice(1), numbered(12, ".gz").slice(4));
      assertEquals(text, numberedLines(0, 1000));
    }),
);

testExecutables("refuses rotation that cannot be meant", async (program) => {
  const refusals: [string[], string][] = [
    [["--max-files", "3"], "--max-files goes with --max-size"],
    [["--compress"], "--compress goes with --max-size"],
    [["--max-size", "1m"], "--max-size goes with --output PATH: standard output cannot"],
    [["--max-size", "1m", "--output", "fifo:x"], 'FIFO "x" cannot be rotated'],
    [["--max-size", "0", "--output", "x"], '--max-size: "0" is out of bounds'],
    [
      ["--max-size", "1m", "--output", "x", "--max-files", "0"],
      '--max-files: "0" is not',
    ],
    [
      ["--max-size", "1m", "--output", "x", "--max-files", "2.5"],
      '"2.5" is not a number',
    ],
    [
      ["--max-size", "1m", "--output", "x", "--max-files", "1", "--compress"],
      "--compress needs --max-files 2 or more",
    ],
  ];
  for (const [flags, message] of refusals) {
    const { code, stderr } = await run(program, flags);
    assertEquals(code, 2, flags.join(" "));
    assertStringIncludes(stderr, message);
  }
});
