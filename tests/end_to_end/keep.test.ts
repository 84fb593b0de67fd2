/** `--keep` and `--recover`: what an earlier run has left. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { isInMemory } from "../../src/system/file_system.ts";
import { mkfifo } from "../../src/system/names.ts";
import { checkNumberedLines, numberedLines } from "./numbered_lines.ts";
import { EXECUTABLES, type Program, testPrograms } from "./programs.ts";
import {
  inFolder,
  run,
  type Running,
  start,
  startInShell,
  summaryIn,
  until,
} from "./run.ts";
import { onSmallDisk } from "./small_disk.ts";

const NEEDS = { programs: EXECUTABLES };

/** Runs a test with a folder in memory, as `--keep` wants it. */
async function inMemory(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ dir: "/dev/shm", prefix: "spillway-test-" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Lets a run read so many lines and kills it. Its output has taken nothing of them. */
async function leave(
  program: Program,
  args: readonly string[],
  lines: number,
): Promise<void> {
  const spillway = start(program, [...args, "--report", "json"]);
  await spillway.write(numberedLines(0, lines));
  await spillway.counted("all lines", ({ lines_in }) => lines_in === lines);
  await kill(spillway);
}

async function kill(spillway: Running): Promise<void> {
  Deno.kill(spillway.pid, "SIGKILL");
  assertEquals(await spillway.code, 128 + 9);
}

/** An output that takes nothing, and is not there at the next start. */
const NOBODY = ["--output", "tcp://127.0.0.1:9"];

function filesIn(folder: string): string[] {
  return Array.from(Deno.readDirSync(folder), ({ name }) => name);
}

/** All that is in the files of a folder, if it is there. */
function keptTexts(folder: string): string {
  try {
    return filesIn(folder).map((name) => Deno.readTextFileSync(`${folder}/${name}`))
      .join();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return "";
  }
}

testPrograms("what a killed run had read comes out of the next one", async (program) => {
  await inMemory(async (folder) => {
    const keep = ["--keep", `${folder}/kept`];
    await leave(program, [...keep, ...NOBODY], 1000);
    assertEquals(Deno.statSync(`${folder}/kept`).mode! & 0o777, 0o700);
    const [file] = filesIn(`${folder}/kept`);
    assertEquals(Deno.statSync(`${folder}/kept/${file}`).mode! & 0o777, 0o600);
    const next = await run(program, [...keep, "--report", "json"], "one more\n");
    assertEquals(
      new TextDecoder().decode(next.stdout),
      `${numberedLines(0, 1000)}one more\n`,
    );
    assertEquals(next.code, 0);
    const { lines_in, lines_recovered, lines_out, lines_kept } = summaryIn(next.stderr);
    assertEquals([lines_in, lines_recovered, lines_out, lines_kept], [1, 1000, 1001, 0]);
    assertEquals(filesIn(`${folder}/kept`), []);
  });
}, NEEDS);

testPrograms(
  "what a stop cannot deliver is kept, and that is no failure",
  async (program) => {
    await inMemory(async (folder) => {
      const keep = ["--keep", `${folder}/kept`, "--report", "json"];
      const first = await run(
        program,
        [...keep, ...NOBODY, "--drain-timeout", "0s", "--fail-on-loss"],
        numberedLines(0, 500),
      );
      assertEquals(first.code, 0, first.stderr);
      const { lines_kept, lines_unflushed } = summaryIn(first.stderr);
      assertEquals([lines_kept, lines_unflushed], [500, 0]);
      const next = await run(program, keep);
      assertEquals(new TextDecoder().decode(next.stdout), numberedLines(0, 500));
    });
  },
  NEEDS,
);

testPrograms(
  "what was overwritten is marked where it is missing, by the next run",
  async (program) => {
    await inMemory(async (folder) => {
      const keep = ["--keep", `${folder}/kept`];
      await leave(program, [...keep, ...NOBODY, "--capacity", "64KiB"], 5000);
      const next = await run(program, keep);
      // What the output had in its hand may have a gap on both sides.
      const { lines, lostLines } = checkNumberedLines(next.stdout);
      assertEquals(lines + lostLines, 5000);
      assert(lostLines > 0);
    });
  },
  NEEDS,
);

testPrograms(
  "the next run may have another capacity, format and output",
  async (program) => {
    await inMemory(async (folder) => {
      const keep = ["--keep", `${folder}/kept`];
      await leave(program, [...keep, ...NOBODY, "--capacity", "1MiB"], 2000);
      const log = `${folder}/log`;
      const next = await run(program, [
        ...[...keep, "--capacity", "64KiB", "--max-line", "4KiB"],
        ...["--format", "ndjson", "--output", log],
      ]);
      assertEquals(next.code, 0, next.stderr);
      const records = Deno.readTextFileSync(log).split("\n").slice(0, -1);
      const messages = records.map((record) => `${JSON.parse(record).message}\n`);
      assertEquals(messages.join(""), numberedLines(0, 2000));
    });
  },
  NEEDS,
);

testPrograms(
  "what two runs have left comes in its order, though the clock was set back between",
  async (program) => {
    await inMemory(async (folder) => {
      const keep = ["--keep", `${folder}/kept`];
      const leaving = [...keep, ...NOBODY, "--drain-timeout", "0s"];
      // More than the output has in its hand, which goes first anyway.
      const count = 5000;
      const first = await run(program, leaving, numberedLines(0, count));
      assertEquals(first.code, 0, first.stderr);
      const [name] = filesIn(`${folder}/kept`);
      setStart(`${folder}/kept/${name}`, Date.now() + 86_400_000);
      const second = await run(program, leaving, numberedLines(count, count));
      assertEquals(second.code, 0, second.stderr);
      const { stdout } = await run(program, keep);
      assertEquals(checkNumberedLines(stdout).lines, 2 * count);
    });
  },
  NEEDS,
);

/** Makes a kept file one of a run that began then. */
function setStart(path: string, startMs: number): void {
  using file = Deno.openSync(path, { read: true, write: true });
  const head = new Uint8Array(4096);
  file.readSync(head);
  const text = new TextDecoder().decode(head);
  const changed = text.replace(/"startMs":\d+/, `"startMs":${startMs}`);
  assert(changed !== text && changed.length === text.length, text);
  file.seekSync(0, Deno.SeekMode.Start);
  file.writeSync(new TextEncoder().encode(changed));
}

testPrograms("an unfinished line goes on in the next run", async (program) => {
  await inMemory(async (folder) => {
    mkfifo(`${folder}/fifo`, 0o600);
    using fifo = await Deno.open(`${folder}/fifo`, { read: true, write: true });
    const encoder = new TextEncoder();
    const args = [
      ...["--fifo", `${folder}/fifo`, "--keep", `${folder}/kept`],
      ...["--output", `${folder}/log`, "--report", "json"],
    ];
    const first = start(program, args);
    await fifo.write(encoder.encode("one\ntwo and a h"));
    await first.counted("all", ({ bytes_in }) => bytes_in === 15);
    await first.kill("SIGTERM");
    assertEquals(await first.code, 0, await first.stderr);
    assertEquals(summaryIn(await first.stderr).bytes_kept, 11);
    const second = start(program, args);
    await fifo.write(encoder.encode("alf\nthree\n"));
    await second.counted("all", ({ lines_out }) => lines_out === 2);
    await second.kill("SIGTERM");
    assertEquals(await second.code, 0);
    assertEquals(Deno.readTextFileSync(`${folder}/log`), "one\ntwo and a half\nthree\n");
    assertEquals(filesIn(`${folder}/kept`), []);
  });
}, NEEDS);

testPrograms(
  "a writer that leaves within a line, and then a kill, add nothing to it",
  async (program) => {
    await inMemory(async (folder) => {
      mkfifo(`${folder}/fifo`, 0o600);
      const args = [
        ...["--fifo", `${folder}/fifo`, "--keep", `${folder}/kept`],
        ...["--output", `${folder}/log`, "--report", "json"],
      ];
      const first = start(program, args);
      await Deno.writeTextFile(`${folder}/fifo`, "no newline");
      await first.counted("all", ({ bytes_out }) => bytes_out === 10);
      await kill(first);
      const second = start(program, args);
      await second.counted("that it runs", () => true);
      await second.kill("SIGTERM");
      assertEquals(await second.code, 0);
      assertEquals(summaryIn(await second.stderr).bytes_recovered, 0);
      assertEquals(Deno.readTextFileSync(`${folder}/log`), "no newline");
    });
  },
  NEEDS,
);

testPrograms(
  "{input}: what is left goes where its own lines go, also when it is read no more",
  async (program) => {
    await inMemory(async (folder) => {
      for (const label of ["a", "b"]) mkfifo(`${folder}/${label}`, 0o600);
      using a = await Deno.open(`${folder}/a`, { read: true, write: true });
      using b = await Deno.open(`${folder}/b`, { read: true, write: true });
      const encoder = new TextEncoder();
      const keep = ["--keep", `${folder}/kept`, "--report", "json"];
      const inputs = ["--fifo", `a=${folder}/a`, "--fifo", `b=${folder}/b`];
      const first = start(program, [
        ...[...keep, ...inputs],
        ...["--output", `fifo:${folder}/nobody-{input}`],
      ]);
      await a.write(encoder.encode("of a\n"));
      await b.write(encoder.encode("of b\n"));
      await first.counted("both", ({ lines_in }) => lines_in === 2);
      await kill(first);
      const second = start(program, [
        ...[...keep, ...inputs.slice(0, 2)],
        ...["--output", `${folder}/log-{input}`],
      ]);
      await second.counted("both", ({ lines_out }) => lines_out === 2);
      await second.kill("SIGTERM");
      assertEquals(await second.code, 0, await second.stderr);
      assertEquals(Deno.readTextFileSync(`${folder}/log-a`), "of a\n");
      assertEquals(Deno.readTextFileSync(`${folder}/log-b`), "of b\n");
    });
  },
  NEEDS,
);

testPrograms("a command's two streams are kept, too", async (program) => {
  await inMemory(async (folder) => {
    const keep = ["--keep", `${folder}/kept`, "--report", "json"];
    const first = start(program, [
      ...[...keep, "--output", `fifo:${folder}/nobody`, "--format", "ndjson"],
      ...["--", "sh", "-c", "echo of stdout; echo of stderr >&2; exec sleep 100"],
    ]);
    await until("both lines in the files", () => {
      const texts = keptTexts(`${folder}/kept`);
      return ["stdout", "stderr"].every((name) => texts.includes(`of ${name}\n`));
    });
    const children = `/proc/${first.pid}/task/${first.pid}/children`;
    const child = Number(Deno.readTextFileSync(children).trim());
    await kill(first);
    Deno.kill(child, "SIGKILL");
    const next = await run(program, [...keep, "--format", "ndjson"]);
    const records = new TextDecoder().decode(next.stdout).trim().split("\n")
      .map((line) => JSON.parse(line));
    assertEquals(records.map(({ stream, message }) => `${stream}: ${message}`).sort(), [
      "stderr: of stderr",
      "stdout: of stdout",
    ]);
  });
}, NEEDS);

testPrograms(
  "--recover writes what a file holds, and leaves it as it is",
  async (program) => {
    await inMemory(async (folder) => {
      await leave(program, ["--keep", `${folder}/kept`, ...NOBODY], 300);
      const path = `${folder}/kept/${filesIn(`${folder}/kept`)[0]}`;
      const before = Deno.readFileSync(path);
      for (let time = 0; time < 2; time++) {
        const { code, stdout, stderr } = await run(program, ["--recover", path]);
        assertEquals(code, 0, stderr);
        assertEquals(new TextDecoder().decode(stdout), numberedLines(0, 300));
        assertMatch(stderr, /recovered 300 lines \(30 kB\) that the run of .* had left/);
      }
      assertEquals(Deno.readFileSync(path), before);
    });
  },
  NEEDS,
);

testPrograms(
  "a file that makes no sense is put aside, and the rest goes on",
  async (program) => {
    await inMemory(async (folder) => {
      const keep = ["--keep", `${folder}/kept`, "--report", "json"];
      await leave(program, ["--keep", `${folder}/kept`, ...NOBODY], 100);
      const [name] = filesIn(`${folder}/kept`);
      await Deno.truncate(`${folder}/kept/${name}`, 100_000);
      const next = await run(program, keep, "goes on\n");
      assertEquals(next.code, 0, next.stderr);
      assertEquals(new TextDecoder().decode(next.stdout), "goes on\n");
      assertMatch(next.stderr, /"keep_notice".*it was cut off; it is now/);
      assertEquals(filesIn(`${folder}/kept`), [`${name}.damaged`]);
    });
  },
  NEEDS,
);

testPrograms(
  "a file that asks for more than there can be is an error that names it, and stays",
  async (program) => {
    await inMemory(async (folder) => {
      await leave(program, ["--keep", `${folder}/kept`, ...NOBODY], 100);
      const path = `${folder}/kept/${filesIn(`${folder}/kept`)[0]}`;
      const file = new TextDecoder("latin1").decode(Deno.readFileSync(path));
      const sizes = [["capacityBytes", 99_999_999_999], ["landingBytes", 4_294_967_295]];
      for (const [size, bytes] of sizes) {
        const value = new RegExp(`"${size}":\\d+`);
        const asking = file.replace(value, `"${size}":${bytes}`).slice(0, file.length);
        Deno.writeFileSync(path, Uint8Array.from(asking, (char) => char.charCodeAt(0)));
        const next = await run(program, ["--keep", `${folder}/kept`], "never read\n");
        assertEquals(next.code, 1);
        assert(
          next.stderr.includes(`cannot recover "${path}": its header makes no sense`),
          next.stderr,
        );
        assertEquals(filesIn(`${folder}/kept`).length, 1);
      }
    });
  },
  NEEDS,
);

testPrograms(
  "whoever cuts off a file in use ends the program, and the next run says so",
  async (program) => {
    await inMemory(async (folder) => {
      const keep = ["--keep", `${folder}/kept`, "--report", "json"];
      const first = start(program, [...keep, ...NOBODY]);
      await first.counted("it runs", () => true);
      const [name] = filesIn(`${folder}/kept`);
      await Deno.truncate(`${folder}/kept/${name}`, 100_000);
      await first.write(numberedLines(0, 10)).catch(() => {});
      assertEquals(await first.code, 128 + 7, "SIGBUS");
      const next = await run(program, keep, "goes on\n");
      assertEquals(next.code, 0, next.stderr);
      assertEquals(new TextDecoder().decode(next.stdout), "goes on\n");
      assertMatch(next.stderr, /it was cut off; it is now/);
    });
  },
  NEEDS,
);

testPrograms(
  "a file of another version is an error that names it, and stays",
  async (program) => {
    await inMemory(async (folder) => {
      await leave(program, ["--keep", `${folder}/kept`, ...NOBODY], 100);
      const path = `${folder}/kept/${filesIn(`${folder}/kept`)[0]}`;
      const file = Deno.readFileSync(path);
      file[14] = "7".charCodeAt(0);
      Deno.writeFileSync(path, file);
      const next = await run(program, ["--keep", `${folder}/kept`], "never read\n");
      assertEquals(next.code, 1);
      assert(
        next.stderr.includes(`cannot recover "${path}": it has version 7`),
        next.stderr,
      );
      assertEquals(next.stdout.length, 0);
      assertEquals(Deno.readFileSync(path), file);
    });
  },
  NEEDS,
);

testPrograms(
  "a folder that others may write to, or another has, is an error",
  async (program) => {
    await inMemory(async (folder) => {
      const open = `${folder}/open`;
      Deno.mkdirSync(open);
      Deno.chmodSync(open, 0o777);
      const refused = await run(program, ["--keep", open]);
      assertEquals(refused.code, 1);
      assertMatch(refused.stderr, /others may write to it/);
      const missing = await run(program, ["--keep", `${folder}/no/such`]);
      assertEquals(missing.code, 1);
      assertMatch(missing.stderr, /cannot make folder ".*\/no\/such" for --keep/);
      Deno.symlinkSync(open, `${folder}/link`);
      const linked = await run(program, ["--keep", `${folder}/link`]);
      assertEquals(linked.code, 1);
      assertMatch(linked.stderr, /not a symbolic link/);
      const first = start(program, ["--keep", `${folder}/kept`, "--report", "json"]);
      await first.counted("it runs", () => true);
      const second = await run(program, ["--keep", `${folder}/kept`]);
      assertEquals(second.code, 1);
      assertMatch(second.stderr, /does already; give each program a folder of its own/);
      await first.end();
      assertEquals(await first.code, 0);
    });
  },
  NEEDS,
);

testPrograms(
  "a disk that has no room is an error before anything is read",
  async (program) => {
    await onSmallDisk(1024 * 1024, async (folder) => {
      const kept = `${folder}/kept`;
      const full = await run(program, ["--keep", kept], "never read\n");
      assertEquals(full.code, 1);
      assertMatch(full.stderr, /cannot make ".*": No space left on device.*--capacity/);
      assertEquals(filesIn(kept), []);
      const fits = await run(program, [
        ...["--keep", kept, "--capacity", "64KiB", "--max-line", "1KiB"],
      ], "read\n");
      assertEquals(fits.code, 0, fits.stderr);
      await new Deno.Command("mount", { args: ["-o", "remount,ro", folder] }).output();
      const readOnly = await run(program, ["--keep", kept], "never read\n");
      assertEquals(readOnly.code, 1);
      assertMatch(readOnly.stderr, /Read-only file system/);
    });
  },
  { ...NEEDS, ignore: Deno.uid() !== 0, why: "root" },
);

testPrograms(
  "a limit of file sizes is an error before anything is read",
  async (program) => {
    await inMemory(async (folder) => {
      const args = ["--keep", `${folder}/kept`];
      const spillway = startInShell(program, 'ulimit -f 100; exec "$@"', args);
      assertEquals(await spillway.code, 1);
      assertMatch(
        await spillway.stderr,
        /cannot make ".*": File too large .*it takes .*: raise the limit .*ulimit -f/,
      );
      assertEquals(filesIn(`${folder}/kept`), []);
    });
  },
  NEEDS,
);

testPrograms("what was left is removed while the program goes on", async (program) => {
  await inMemory(async (folder) => {
    const keep = ["--keep", `${folder}/kept`];
    await leave(program, [...keep, ...NOBODY], 1000);
    const [left] = filesIn(`${folder}/kept`);
    const next = start(program, [...keep, "--report", "json"]);
    const output = next.readAll();
    await until("its end", () => !filesIn(`${folder}/kept`).includes(left!));
    await next.reported("what was there", ({ event }) => event === "recovered");
    await next.end();
    assertEquals(await next.code, 0);
    assertEquals(new TextDecoder().decode(await output), numberedLines(0, 1000));
  });
}, NEEDS);

testPrograms(
  "what is in a file that was removed is not kept, and that is said",
  async (program) => {
    await inMemory(async (folder) => {
      const keep = ["--keep", `${folder}/kept`, "--drain-timeout", "0s"];
      const spillway = start(program, [...keep, ...NOBODY, "--report", "json"]);
      await spillway.write(numberedLines(0, 1000));
      await spillway.counted("all lines", ({ lines_in }) => lines_in === 1000);
      const [file] = filesIn(`${folder}/kept`);
      await Deno.remove(`${folder}/kept`, { recursive: true });
      await spillway.end();
      assertEquals(await spillway.code, 4);
      const { lines_kept, lines_unflushed } = summaryIn(await spillway.stderr);
      assertEquals({ lines_kept, lines_unflushed }, {
        lines_kept: 0,
        lines_unflushed: 1000,
      });
      const notice = spillway.reports.find(({ event }) => event === "keep_notice");
      assert(
        notice?.message?.startsWith(`somebody has removed "${folder}/kept/${file}":`),
      );
    });
  },
  NEEDS,
);

testPrograms(
  "a file that is removed is missed while the program goes on",
  async (program) => {
    await inMemory(async (folder) => {
      const keep = ["--keep", `${folder}/kept`];
      const spillway = start(program, [...keep, "--report", "json"]);
      const output = spillway.readAll();
      await spillway.write(numberedLines(0, 1));
      await spillway.counted("it runs", ({ lines_out }) => lines_out === 1);
      await Deno.remove(`${folder}/kept`, { recursive: true });
      await spillway.reported("the loss", ({ event }) => event === "keep_notice");
      await spillway.end();
      // Nothing was in it.
      assertEquals([await spillway.code, (await output).length > 0], [0, true]);
    });
  },
  NEEDS,
);

testPrograms("on a disk it says what that costs", async (program) => {
  await inFolder(async (folder) => {
    const { code, stderr } = await run(program, ["--keep", `${folder}/kept`], "one\n");
    assertEquals(code, 0, stderr);
    assertMatch(stderr, /is on a disk: when that is slow, so is reading/);
  });
}, { ...NEEDS, ignore: isInMemory("/tmp"), why: "a /tmp on a disk" });
