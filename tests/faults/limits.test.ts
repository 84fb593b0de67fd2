/** Less memory than it would like, and a clock that is set back. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { NEEDS_MEMORY_GROUPS, withMemoryGroup } from "../end_to_end/memory_group.ts";
import { needingProgram } from "../end_to_end/installed.ts";
import {
  checkConservation,
  checkNumberedLines,
  numberedLines,
} from "../end_to_end/numbered_lines.ts";
import { type Program, testExecutables } from "../end_to_end/programs.ts";
import {
  inFolder,
  type Report,
  type Running,
  startInShell,
  summaryIn,
} from "../end_to_end/run.ts";

const JSON_REPORTS = ["--report", "json"];

testExecutables(
  "rings that the address space does not hold are refused",
  (program) =>
    inFolder(async (folder) => {
      const inputs = Array.from({ length: 64 }, (_, index) => [
        "--fifo",
        `input${index}=${folder}/${index}`,
      ]);
      // 64 rings of 2 GiB do not fit; both runtimes reserve less than that at start.
      const script = 'ulimit -v 90000000; exec "$@"';
      const args = [...inputs.flat(), "--create", "--capacity", "2GiB", ...JSON_REPORTS];
      const spillway = startInShell(program, script, args);
      await spillway.readAll();
      assertEquals(await spillway.code, 1);
      assertMatch(
        await spillway.stderr,
        /cannot reserve .* ask for a smaller --capacity/,
      );
      await spillway.end();
    }),
);

/** The rings and what a runtime needs, but far from all the input. */
const GROUP_LIMIT_BYTES = 192 * 1024 * 1024;

testExecutables(
  "a cgroup with little memory does not kill it, whatever comes in",
  (program) =>
    withMemoryGroup(GROUP_LIMIT_BYTES, async (group) => {
      const script = `echo $$ >${group}/cgroup.procs; exec "$@"`;
      const args = ["--capacity", "32MiB", ...JSON_REPORTS];
      const spillway = startInShell(program, script, args);
      const chunk = numberedLines(0, 10_000, 1000);
      const rounds = 2 * GROUP_LIMIT_BYTES / chunk.length;
      for (let round = 0; round < rounds; round++) await spillway.write(chunk);
      await spillway.end();
      await spillway.readAll();
      assertEquals(await spillway.code, 0);
      const summary = summaryIn(await spillway.stderr);
      checkConservation(summary);
      assert(Number(summary.bytes_in) > GROUP_LIMIT_BYTES);
    }),
  NEEDS_MEMORY_GROUPS,
);

const FAKE_TIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";

const NEEDS_FAKE_TIME = needingProgram(FAKE_TIME, "faketime");

/** Its clock is as far from the real one as the second function has said last. */
async function startWithClock(
  program: Program,
  folder: string,
): Promise<{ spillway: Running; setClock: (offset: string) => Promise<void> }> {
  const clock = `${folder}/clock`;
  const setClock = (offset: string) => Deno.writeTextFile(clock, offset);
  await setClock("+0");
  const spillway = startInShell(program, 'exec "$@"', JSON_REPORTS, {
    LD_PRELOAD: FAKE_TIME,
    FAKETIME_TIMESTAMP_FILE: clock,
    FAKETIME_NO_CACHE: "1",
    DONT_FAKE_MONOTONIC: "1",
  });
  return { spillway, setClock };
}

testExecutables(
  "the clock set back an hour makes no time negative and loses nothing",
  (program) =>
    inFolder(async (folder) => {
      const { spillway, setClock } = await startWithClock(program, folder);
      const output = spillway.readAll();
      await spillway.write(numberedLines(0, 1000));
      await spillway.counted("they are out", (s) => s.lines_out === 1000);
      await setClock("-3600");
      await spillway.write(numberedLines(1000, 1000));
      await spillway.end();
      assertEquals(await spillway.code, 0);
      assertEquals(checkNumberedLines(await output).lines, 2000);
      const summary = summaryIn(await spillway.stderr);
      checkConservation(summary);
      const duration = Number(summary.duration_ms);
      assert(duration >= 0 && duration < 60_000, `${duration} ms`);
      assert(Date.parse(summary.time) < Date.now() - 3_000_000, "the clock was set back");
    }),
  NEEDS_FAKE_TIME,
);

testExecutables(
  "a stall is as long as it is, also when the clock is set back in it",
  (program) =>
    inFolder(async (folder) => {
      const { spillway, setClock } = await startWithClock(program, folder);
      // More than the pipe of its output holds, and nobody reads it.
      await spillway.write(numberedLines(0, 20_000));
      await spillway.reported("the stall", ({ event }) => event === "stall");
      await setClock("-3600");
      const hourAgo = Date.now() - 3_000_000;
      const isAfter = ({ time }: Report) => Date.parse(time) < hourAgo;
      await spillway.counted(
        "it is stalled still",
        (status) => isAfter(status) && Number(status.stalled_ms) >= 1000,
      );
      const output = spillway.readAll();
      await spillway.reported("its end", ({ event }) => event === "stall_end");
      await spillway.end();
      assertEquals(await spillway.code, 0);
      assertEquals(checkNumberedLines(await output).lines, 20_000);
    }),
  NEEDS_FAKE_TIME,
);
