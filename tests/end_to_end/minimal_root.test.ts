import { assert, assertEquals } from "@std/assert";
import { NEEDS_MEMORY_GROUPS, withMemoryGroup } from "./memory_group.ts";
import { makeRoot, MINIMAL_ROOT, startInRoot } from "./minimal_root.ts";
import {
  checkConservation,
  checkNumberedLines,
  numberedLines,
} from "./numbered_lines.ts";
import { testExecutables } from "./programs.ts";
import { inFolder, summaryIn, until } from "./run.ts";

const JSON_REPORTS = ["--report", "json"];
const MIB = 1024 ** 2;
/** What the README says that a container needs beside the rings. */
const BESIDE_RINGS_BYTES = 128 * MIB;

testExecutables(
  "runs in a root folder with nothing but itself, its libraries and /proc",
  (program) =>
    inFolder(async (folder) => {
      await makeRoot(program, folder);
      const spillway = startInRoot(program, folder, JSON_REPORTS);
      await spillway.write(numberedLines(0, 1000));
      await spillway.end();
      const seen = checkNumberedLines(await spillway.readAll());
      assertEquals([await spillway.code, seen.lines], [0, 1000]);
      checkConservation(summaryIn(await spillway.stderr));
    }),
  MINIMAL_ROOT,
);

testExecutables(
  "reads a FIFO there with standard input closed and little shared memory",
  (program) =>
    inFolder(async (folder) => {
      await makeRoot(program, folder);
      await Deno.mkdir(`${folder}/run`, { mode: 0o777 });
      await Deno.chmod(`${folder}/run`, 0o777);
      const args = ["--fifo", "/run/app", "--create", "--once", ...JSON_REPORTS];
      // A standard stream that is closed needs /dev/null: runtimes put it there.
      const spillway = startInRoot(program, folder, args, {
        prepare: `mount --bind ${folder}/run "$root/run"
          mount -t tmpfs -o size=256k tmpfs "$root/dev"
          mkdir "$root/dev/shm"
          mount -t tmpfs -o size=64k tmpfs "$root/dev/shm"
          mknod -m 666 "$root/dev/null" c 1 3`,
        redirections: "<&-",
      });
      await spillway.end().catch(() => {});
      await until("the FIFO", () => isThere(`${folder}/run/app`));
      await Deno.writeTextFile(`${folder}/run/app`, numberedLines(0, 1000), {
        create: false,
      });
      const seen = checkNumberedLines(await spillway.readAll());
      assertEquals([await spillway.code, seen.lines], [0, 1000]);
    }),
  MINIMAL_ROOT,
);

function isThere(path: string): boolean {
  try {
    return Deno.lstatSync(path).isFifo === true;
  } catch {
    return false;
  }
}

testExecutables(
  "needs no more memory than its capacity and 128 MiB there",
  (program) =>
    inFolder((folder) =>
      withMemoryGroup(64 * MIB + BESIDE_RINGS_BYTES, async (group) => {
        await makeRoot(program, folder);
        const args = ["--capacity", "64MiB", ...JSON_REPORTS];
        const spillway = startInRoot(program, folder, args, {
          prepare: `echo $$ >${group}/cgroup.procs`,
        });
        const chunk = numberedLines(0, 10_000, 1000);
        // Nobody reads the output: the ring fills, and wraps around.
        for (let round = 0; round < 20; round++) await spillway.write(chunk);
        await spillway.end();
        await spillway.readAll();
        assertEquals(await spillway.code, 0);
        const summary = summaryIn(await spillway.stderr);
        checkConservation(summary);
        assert(Number(summary.bytes_overwritten) > 0);
      })
    ),
  MINIMAL_ROOT.ignore ? MINIMAL_ROOT : { ...MINIMAL_ROOT, ...NEEDS_MEMORY_GROUPS },
);
