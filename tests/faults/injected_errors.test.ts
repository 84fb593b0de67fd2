/**
 * System calls that fail as the kernel would let them fail for a bad disk: strace
 * gives the errors in its place, to the real program.
 */

import { assertEquals, assertMatch } from "@std/assert";
import {
  checkConservation,
  checkNumberedLines,
  numberedLines,
} from "../end_to_end/numbered_lines.ts";
import { NEEDS_STRACE } from "../end_to_end/installed.ts";
import { testExecutables } from "../end_to_end/programs.ts";
import { inFolder, type Report, summaryIn } from "../end_to_end/run.ts";
import { startFaulty } from "./injection.ts";

const WAITS: readonly { error: string; said: RegExp | undefined }[] = [
  { error: "EIO", said: /Input\/output error/ },
  { error: "ENOSPC", said: /No space left/ },
  { error: "EDQUOT", said: /quota exceeded/ },
  { error: "EFBIG", said: /too large/ },
  { error: "EINTR", said: undefined },
  { error: "EAGAIN", said: undefined },
];

for (const { error, said } of WAITS) {
  testExecutables(
    `writes that fail with ${error} are made again, and nothing comes twice`,
    (program) =>
      inFolder(async (folder) => {
        const output = `${folder}/out.log`;
        const fault = { path: output, call: "write", error, when: "2..3" };
        const spillway = startFaulty(program, fault, ["--output", output]);
        await spillway.write(numberedLines(0, 100));
        await spillway.counted("the first are out", (s) => s.lines_out === 100);
        await spillway.write(numberedLines(100, 100));
        await spillway.counted("the others, too", (s) => s.lines_out === 200);
        await spillway.end();
        assertEquals(await spillway.code, 0);
        checkConservation(summaryIn(await spillway.stderr));
        const written = await Deno.readFile(output);
        const { lines, lostLines } = checkNumberedLines(written);
        assertEquals([lines, lostLines], [200, 0]);
        const events = spillway.reports.filter(isOfSink);
        assertEquals(
          events.map(({ event }) => event),
          said ? ["sink_failing", "sink_recovered"] : [],
        );
        if (said) assertMatch(`${events[0]!.message}`, said);
      }),
    NEEDS_STRACE,
  );
}

function isOfSink({ event }: Report): boolean {
  return event.startsWith("sink");
}

testExecutables(
  "a disk that fails for good is tried until the deadline, and what is left is counted",
  (program) =>
    inFolder(async (folder) => {
      const output = `${folder}/out.log`;
      const fault = { path: output, call: "write", error: "EIO", when: "2+" };
      const args = ["--output", output, "--drain-timeout", "300ms"];
      const spillway = startFaulty(program, fault, args);
      await spillway.write(numberedLines(0, 100));
      await spillway.counted("the first are out", (s) => s.lines_out === 100);
      await spillway.write(numberedLines(100, 100));
      await spillway.reported("the disk fails", isOfSink);
      await spillway.end();
      assertEquals(await spillway.code, 4);
      const summary = summaryIn(await spillway.stderr);
      checkConservation(summary);
      assertEquals([summary.lines_out, summary.lines_unflushed], [100, 100]);
      assertEquals(checkNumberedLines(await Deno.readFile(output)).lines, 100);
    }),
  NEEDS_STRACE,
);

testExecutables(
  "an input that cannot be read any more ends, and the other goes on",
  (program) =>
    inFolder(async (folder) => {
      const fault = { path: `${folder}/bad`, call: "read", error: "EIO", when: "2+" };
      const args = ["bad", "good"].flatMap((name) => [
        "--fifo",
        `${name}=${folder}/${name}`,
      ]);
      const spillway = startFaulty(program, fault, [...args, "--create", "--once"]);
      const output = spillway.readAll();
      await spillway.counted("it reads", (s) => s.lines_in === 0);
      const [bad, good] = await Promise.all(
        ["bad", "good"].map((name) => Deno.open(`${folder}/${name}`, { write: true })),
      );
      await write(bad!, "one\n");
      await spillway.counted("it is out", (s) => s.lines_out === 1);
      await write(bad!, "two\n");
      const failed = await spillway.reported(
        "an error",
        ({ event }) => event === "error",
      );
      assertMatch(`${failed.message}`, /cannot read FIFO ".*bad": .*EIO/);
      await write(good!, "three\n");
      bad!.close();
      good!.close();
      await spillway.end();
      assertEquals(await spillway.code, 1);
      assertEquals(new TextDecoder().decode(await output), "one\nthree\n");
      checkConservation(summaryIn(await spillway.stderr));
    }),
  NEEDS_STRACE,
);

testExecutables(
  "a disk that fails to make the file lasting is an error, also when it would not again",
  (program) =>
    inFolder(async (folder) => {
      const output = `${folder}/out.log`;
      const fault = { path: output, call: "fsync", error: "EIO", when: "1" };
      const spillway = startFaulty(program, fault, ["--output", output]);
      await spillway.write(numberedLines(0, 100));
      await spillway.end();
      assertEquals(await spillway.code, 1);
      const stderr = await spillway.stderr;
      assertMatch(stderr, /cannot make .* lasting: .*EIO/);
      const summary = summaryIn(stderr);
      checkConservation(summary);
      assertEquals(summary.lines_out, 100);
      assertEquals(checkNumberedLines(await Deno.readFile(output)).lines, 100);
    }),
  NEEDS_STRACE,
);

async function write(file: Deno.FsFile, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  assertEquals(await file.write(bytes), bytes.length);
}
