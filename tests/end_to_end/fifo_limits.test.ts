import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { NOBODYS_PROGRAMS, startAsNobody } from "./nobody.ts";
import { PROGRAMS, testExecutables } from "./programs.ts";
import {
  inFolder,
  type Report,
  run,
  Running,
  start,
  startInShell,
  until,
} from "./run.ts";

const JSON_REPORTS = ["--report", "json"];
const decoder = new TextDecoder();

async function mkfifo(...paths: string[]): Promise<void> {
  const { success } = await new Deno.Command("mkfifo", { args: paths }).output();
  assert(success, `mkfifo ${paths}`);
}

/** As a shell's `echo > fifo`: opens it, writes, and closes it. */
async function writeTo(fifo: string, text: string): Promise<void> {
  await Deno.writeTextFile(fifo, text, { create: false });
}

/** Waits until the program has opened it, which ends with the lock. */
async function opened(spillway: Running, fifo: string): Promise<void> {
  const process = `/proc/${spillway.pid}`;
  await until(`${fifo} to be opened`, () => {
    for (const { name } of Deno.readDirSync(`${process}/fd`)) {
      try {
        if (Deno.readLinkSync(`${process}/fd/${name}`) !== fifo) continue;
        if (Deno.readTextFileSync(`${process}/fdinfo/${name}`).includes("FLOCK")) {
          return true;
        }
      } catch (error) {
        // Closed since the folder was read.
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
    return false;
  });
}

async function noticed(spillway: Running, message: RegExp): Promise<Report> {
  return await spillway.reported(
    `${message}`,
    (report) => report.event === "input_notice" && message.test(report.message!),
  );
}

async function ends(spillway: Running): Promise<string> {
  await spillway.kill("SIGTERM");
  const output = decoder.decode(await spillway.readAll());
  assertEquals(await spillway.code, 0);
  return output;
}

/** A program that reads one FIFO, in a folder of its own. */
function testFifo(
  name: string,
  args: readonly string[],
  test: (spillway: Running, fifo: string) => Promise<void>,
): void {
  testExecutables(name, (program) =>
    inFolder(async (folder) => {
      const fifo = `${folder}/fifo`;
      await mkfifo(fifo);
      const spillway = start(program, ["--fifo", fifo, ...JSON_REPORTS, ...args]);
      await opened(spillway, fifo);
      await test(spillway, fifo);
    }));
}

testFifo(
  "says that a FIFO was removed, and follows its name",
  [],
  async (spillway, fifo) => {
    await writeTo(fifo, "one\n");
    await Deno.remove(fifo);
    await noticed(spillway, /cannot be found any more: .* make it again with mkfifo/);
    await mkfifo(fifo);
    await writeTo(fifo, "two\n");
    await noticed(spillway, /was replaced; the new one is read now/);
    assertEquals(await ends(spillway), "one\ntwo\n");
  },
);

testFifo("reads a removed FIFO to its writer's end", [], async (spillway, fifo) => {
  const writer = await Deno.open(fifo, { write: true });
  await Deno.remove(fifo);
  await noticed(spillway, /cannot be found any more/);
  await writer.write(new TextEncoder().encode("still here\n"));
  writer.close();
  assertEquals(await ends(spillway), "still here\n");
});

testFifo(
  "reads a replaced FIFO to its end before the new one",
  [],
  async (spillway, fifo) => {
    const writer = await Deno.open(fifo, { write: true });
    await mkfifo(`${fifo}.new`);
    await Deno.rename(`${fifo}.new`, fifo);
    await noticed(spillway, /the new one is read as soon as the last writer/);
    const second = writeTo(fifo, "two\n");
    await writer.write(new TextEncoder().encode("one\n"));
    writer.close();
    await second;
    assertEquals(await ends(spillway), "one\ntwo\n");
  },
);

testFifo("says that a FIFO has become a file", [], async (spillway, fifo) => {
  await Deno.remove(fifo);
  await Deno.writeTextFile(fifo, "lost\n");
  await noticed(spillway, /was replaced by a regular file, which is not read; remove it/);
  await Deno.remove(fifo);
  await mkfifo(fifo);
  await writeTo(fifo, "read\n");
  await noticed(spillway, /the new one is read now/);
  assertEquals(await ends(spillway), "read\n");
});

testFifo("notices a FIFO that comes back", [], async (spillway, fifo) => {
  await Deno.rename(fifo, `${fifo}.old`);
  await noticed(spillway, /cannot be found any more/);
  await Deno.rename(`${fifo}.old`, fifo);
  await noticed(spillway, /is back/);
  await writeTo(fifo, "read\n");
  assertEquals(await ends(spillway), "read\n");
});

testFifo("with --create makes a FIFO again that was removed", ["--create"], async (
  spillway,
  fifo,
) => {
  await writeTo(fifo, "one\n");
  await Deno.remove(fifo);
  await noticed(spillway, /the new one is read now/);
  await writeTo(fifo, "two\n");
  assertEquals(await ends(spillway), "one\ntwo\n");
  assert((await Deno.lstat(fifo)).isFifo, "what it has made stays");
});

testExecutables(
  "with --create reads on, after a restart, what a writer writes that stayed",
  (program) =>
    inFolder(async (folder) => {
      const fifo = `${folder}/fifo`;
      const args = ["--fifo", fifo, "--create", ...JSON_REPORTS];
      const first = start(program, args);
      await opened(first, fifo);
      // As a service that was started with `1<>fifo` and lives through the restart.
      const writer = new Running(["bash", "-c", 'exec cat 1<>"$1"', "bash", fifo]);
      await writer.write("before\n");
      await first.counted("the first line", (s) => s.lines_out === 1);
      assertEquals(await ends(first), "before\n");
      await writer.write("meanwhile\n");
      const second = start(program, args);
      await writer.write("after\n");
      await second.counted("the other two", (s) => s.lines_out === 2);
      assertEquals(await ends(second), "meanwhile\nafter\n");
      await writer.end();
      assertEquals(await writer.code, 0);
      await writer.readAll();
    }),
);

testFifo("lets no second one read the same FIFO", [], async (spillway, fifo) => {
  // Also after the first writer has left, and the pipe was opened once more.
  await writeTo(fifo, "one\n");
  await spillway.counted("it is out", (s) => s.lines_out === 1);
  for (const program of PROGRAMS.filter(({ missing }) => !missing)) {
    const second = await run(program, ["--fifo", fifo]);
    assertEquals(second.code, 1);
    assertStringIncludes(
      second.stderr,
      `cannot read FIFO "${fifo}": process ${spillway.pid} (`,
    );
    assertStringIncludes(second.stderr, ") reads it already");
  }
  await writeTo(fifo, "two\n");
  assertEquals(await ends(spillway), "one\ntwo\n");
});

testExecutables(
  "says that the FIFO which has taken the place of its own has another reader",
  (program) =>
    inFolder(async (folder) => {
      const [fifo, other] = [`${folder}/fifo`, `${folder}/other`];
      await mkfifo(fifo, other);
      const spillway = start(program, ["--fifo", fifo, ...JSON_REPORTS]);
      const neighbour = start(program, ["--fifo", other, ...JSON_REPORTS]);
      await Promise.all([opened(spillway, fifo), opened(neighbour, other)]);
      await Deno.rename(other, fifo);
      await noticed(spillway, /cannot read FIFO .* reads it already/);
      await writeTo(fifo, "for the neighbour\n");
      await neighbour.counted("it is out", (s) => s.lines_out === 1);
      assertEquals(await ends(neighbour), "for the neighbour\n");
      await noticed(spillway, /the new one is read now/);
      await writeTo(fifo, "for us\n");
      assertEquals(await ends(spillway), "for us\n");
    }),
);

testExecutables(
  "with --once waits for the first writer of a replaced FIFO",
  (program) =>
    inFolder(async (folder) => {
      const fifo = `${folder}/fifo`;
      await mkfifo(fifo, `${fifo}.new`);
      const spillway = start(program, ["--fifo", fifo, "--once", ...JSON_REPORTS]);
      await opened(spillway, fifo);
      await Deno.rename(`${fifo}.new`, fifo);
      await noticed(spillway, /the new one is read now/);
      await writeTo(fifo, "one\n");
      assertEquals(decoder.decode(await spillway.readAll()), "one\n");
      assertEquals(await spillway.code, 0);
    }),
);

testExecutables(
  "says that a FIFO belongs to somebody else",
  (program) =>
    inFolder(async (folder) => {
      await Deno.chmod(folder, 0o755);
      const fifo = `${folder}/fifo`;
      await mkfifo(fifo);
      await Deno.chmod(fifo, 0o600);
      const spillway = startAsNobody(program, ["--fifo", fifo]);
      await spillway.readAll();
      assertEquals(await spillway.code, 1);
      assertMatch(
        await spillway.stderr,
        /cannot open FIFO ".*": Permission denied \(EACCES\); this user may not read it/,
      );
    }),
  NOBODYS_PROGRAMS,
);

testExecutables(
  "goes on with a FIFO that has become somebody else's",
  (program) =>
    inFolder(async (folder) => {
      await Deno.chmod(folder, 0o755);
      const fifo = `${folder}/fifo`;
      await mkfifo(fifo);
      await Deno.chmod(fifo, 0o644);
      const spillway = startAsNobody(program, ["--fifo", fifo, ...JSON_REPORTS]);
      await opened(spillway, fifo);
      await Deno.chmod(fifo, 0o600);
      await writeTo(fifo, "one\n");
      await noticed(spillway, /cannot open .* once more for its next writer: .*EACCES/);
      await writeTo(fifo, "two\n");
      await spillway.counted("both are read", (s) => s.lines_in === 2);
      await writeTo(fifo, "three\n");
      await spillway.counted("all are read", (s) => s.lines_in === 3);
      assertEquals(await ends(spillway), "one\ntwo\nthree\n");
    }),
  NOBODYS_PROGRAMS,
);

testExecutables(
  "tries again to open a new FIFO that it may not read",
  (program) =>
    inFolder(async (folder) => {
      await Deno.chmod(folder, 0o755);
      const fifo = `${folder}/fifo`;
      await mkfifo(fifo, `${fifo}.new`);
      await Deno.chmod(fifo, 0o644);
      await Deno.chmod(`${fifo}.new`, 0o600);
      const spillway = startAsNobody(program, ["--fifo", fifo, ...JSON_REPORTS]);
      await opened(spillway, fifo);
      await Deno.rename(`${fifo}.new`, fifo);
      await noticed(
        spillway,
        /cannot open FIFO .*: .*EACCES.*; this user may not read it/,
      );
      await Deno.chmod(fifo, 0o644);
      await writeTo(fifo, "one\n");
      await noticed(spillway, /the new one is read now/);
      assertEquals(await ends(spillway), "one\n");
    }),
  NOBODYS_PROGRAMS,
);

testExecutables(
  "says that the kernel refuses a larger pipe",
  (program) =>
    inFolder(async (folder) => {
      await Deno.chmod(folder, 0o755);
      const fifo = `${folder}/fifo`;
      await mkfifo(fifo);
      await Deno.chmod(fifo, 0o644);
      const max = Number(await Deno.readTextFile("/proc/sys/fs/pipe-max-size"));
      const args = ["--fifo", fifo, "--pipe-size", `${2 * max}`, ...JSON_REPORTS];
      const spillway = startAsNobody(program, args);
      const { message } = await noticed(
        spillway,
        /the kernel pipe of FIFO .* has .*, not/,
      );
      assertMatch(message!, /EPERM.*fs.pipe-max-size and fs.pipe-user-pages-soft/);
      await writeTo(fifo, "one\n");
      assertEquals(await ends(spillway), "one\n");
    }),
  NOBODYS_PROGRAMS,
);

testExecutables(
  "goes on with what the kernel leaves of a user's memory for pipes",
  (program) =>
    inFolder(async (folder) => {
      await Deno.chmod(folder, 0o755);
      const pages = Number(await Deno.readTextFile("/proc/sys/fs/pipe-user-pages-soft"));
      const [max, page] = [64, 4096];
      const size = pages * page / (max - 1);
      const fifos = Array.from({ length: max }, (_, index) => `${folder}/${index}`);
      await mkfifo(...fifos);
      for (const fifo of fifos) await Deno.chmod(fifo, 0o644);
      const spillway = startAsNobody(program, [
        ...fifos.flatMap((fifo, index) => ["--fifo", `l${index}=${fifo}`]),
        ...["--pipe-size", `${Math.floor(size)}`, "--capacity", "64KiB", ...JSON_REPORTS],
      ]);
      await noticed(spillway, /the kernel pipe of FIFO .* has .*EPERM/);
      for (const fifo of fifos) await writeTo(fifo, `${fifo}\n`);
      await spillway.counted("all are read", (s) => s.lines_in === max);
      assertEquals((await ends(spillway)).split("\n").length, max + 1);
    }),
  NOBODYS_PROGRAMS,
);

testExecutables(
  "says at the start that too few open files are allowed",
  async (program) => {
    const spillway = startInShell(program, 'ulimit -n 45; exec "$@"', []);
    await spillway.readAll();
    assertEquals(await spillway.code, 1);
    assertMatch(
      await spillway.stderr,
      /cannot start with at most 45 open files: with 1 input and 1 output it takes 49; raise the limit/,
    );
    await spillway.end().catch(() => {});
  },
);
