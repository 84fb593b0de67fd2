/** What is left behind each time that something happens, where that happens for years. */

import { assert, assertEquals } from "@std/assert";
import { mkfifo } from "../../src/system/names.ts";
import { numberedLines } from "./numbered_lines.ts";
import { EXECUTABLES, testExecutables } from "./programs.ts";
import { inFolder, type Running, start, threadTexts, until } from "./run.ts";

/** Every line of 100 bytes has a file of its own. */
const ROTATING = ["--max-size", "100", "--report", "json"];

const WARM_UP = 100;
const ROTATIONS = 400;
/** A third of what they took when each left 200 KB behind: 40 files had to be found. */
const GROWTH_BYTES = 25e6;

/** Memory of its own: proc_pid_smaps(5). */
function anonymousBytes(pid: number): number {
  const rollup = Deno.readTextFileSync(`/proc/${pid}/smaps_rollup`);
  return 1024 * Number(/^Anonymous: +(\d+) kB$/m.exec(rollup)![1]);
}

testExecutables(
  "memory does not grow with rotations",
  (program) =>
    inFolder(async (folder) => {
      const spillway = start(program, [
        ...["--output", `${folder}/app.log`, ...ROTATING, "--max-files", "40"],
        // Hardly any of it is touched, but Bun counts all of it as memory in use.
        ...["--capacity", "1GiB"],
      ]);
      await spillway.write(numberedLines(0, WARM_UP));
      await spillway.counted("the warm-up", (s) => s.lines_out === WARM_UP);
      const before = anonymousBytes(spillway.pid);
      await spillway.write(numberedLines(WARM_UP, ROTATIONS));
      await spillway.counted("the rest", (s) => s.lines_out === WARM_UP + ROTATIONS);
      const growth = anonymousBytes(spillway.pid) - before;
      assert(growth < GROWTH_BYTES, `it has grown by ${growth} bytes`);
      await spillway.end();
      assertEquals(await spillway.code, 0);
    }),
);

/** Fewer than there may be files. */
const ROUNDS = 4;
const LOWEST_PRIORITY = "19";

/** The threads that leave the processor to all others. */
function lowThreads({ pid }: Running): string[] {
  const found = [...threadTexts(pid, "stat")].filter(([, stat]) =>
    // After the name, which may hold anything, comes the third field: proc_pid_stat(5).
    stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19 - 3] === LOWEST_PRIORITY
  );
  return found.map(([thread]) => thread);
}

testExecutables(
  "one thread compresses all that is ever rotated",
  (program) =>
    inFolder(async (folder) => {
      const output = ["--output", `${folder}/app.log`, ...ROTATING, "--compress"];
      const spillway = start(program, output);
      const threads = new Set<string>();
      await spillway.write(numberedLines(0, 1));
      for (let line = 1; line <= ROUNDS; line++) {
        await spillway.write(numberedLines(line, 1));
        await until(`${line} compressed files`, () => {
          const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
          return names.filter((name) => name.endsWith(".gz")).length === line &&
            names.length === line + 1;
        });
        for (const thread of lowThreads(spillway)) threads.add(thread);
      }
      assertEquals(threads.size, 1);
      await spillway.end();
      assertEquals(await spillway.code, 0);
    }),
);

const BUN = { programs: EXECUTABLES.filter(({ name }) => name.endsWith("-bun")) };

testExecutables(
  "Bun collects garbage in threads that wait in the kernel",
  async (program) => {
    const output = ["--output", "/dev/null", "--report", "json"];
    const spillway = start(program, output, { BUN_JSC_logGC: "1" });
    await spillway.write("a line\n");
    await spillway.counted("the first line", (s) => s.lines_in === 1);
    const seen = spillway.stderrSoFar.length;
    await until(
      "collections in the control thread, the reader and the output",
      async () => {
        await spillway.write("a line\n");
        const log = spillway.stderrSoFar.slice(seen);
        const threads = new Set(
          Array.from(log.matchAll(/GC<(\w+)>: START/g), ([, it]) => it),
        );
        return threads.size === 3;
      },
      50,
    );
    await spillway.end();
    assertEquals(await spillway.code, 0);
  },
  BUN,
);

testExecutables(
  "Bun collects all garbage in every thread when many inputs have gone",
  (program) =>
    inFolder(async (folder) => {
      const pipes = `${folder}/pipes`;
      Deno.mkdirSync(pipes);
      const args = ["--fifo", pipes, "--output", `${folder}/log`];
      const spillway = start(program, args, { BUN_JSC_logGC: "1" });
      for (let input = 0; input < INPUTS; input++) await comeAndGo(`${pipes}/${input}`);
      // One in each thread, as it is asked for. Which, says a log that threads share only
      // where they write one after the other.
      await until(
        () => `three whole collections; got ${spillway.stderrSoFar}`,
        () => spillway.stderrSoFar.split("Full sweep").length === 1 + 3,
        50,
      );
      await spillway.kill("SIGTERM");
      assertEquals(await spillway.code, 0);
    }),
  BUN,
);

/** More than leave enough to collect, and too few for Bun to do so of its own accord. */
const INPUTS = 600;

/** A pipe with one line. */
async function comeAndGo(path: string): Promise<void> {
  assertEquals(mkfifo(path, 0o600), 0);
  using pipe = await Deno.open(path, { write: true });
  pipe.writeSync(new TextEncoder().encode("a line\n"));
  Deno.removeSync(path);
}
