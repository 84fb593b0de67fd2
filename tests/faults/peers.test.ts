/** What the processes around it do to it: leave, stop, and go on. */

import { assert, assertEquals } from "@std/assert";
import {
  checkConservation,
  checkNumberedLines,
  numberedLines,
} from "../end_to_end/numbered_lines.ts";
import { testExecutables } from "../end_to_end/programs.ts";
import {
  freeze,
  isStopped,
  type Running,
  start,
  startInShell,
  summaryIn,
  until,
} from "../end_to_end/run.ts";

const JSON_REPORTS = ["--report", "json"];
/** What a shell says of a program that SIGKILL has ended. */
const KILLED = 128 + 9;

/**
 * A ring that holds more than the pipe of the output can take (256 KiB), and twice as
 * much input. However little the busy machine leaves to the thread that writes, and
 * however much is lost meanwhile, part of it must wait for a reader.
 */
const STUCK = ["--capacity", "1MiB", ...JSON_REPORTS];
const STUCK_LINES = 20_000;

/** Reads so many bytes of the output and leaves. */
async function readAndLeave(
  stdout: ReadableStream<Uint8Array>,
  bytes: number,
): Promise<number> {
  const reader = stdout.getReader();
  let seen = 0;
  while (seen < bytes) {
    const { value, done } = await reader.read();
    if (done) break;
    seen += value.length;
  }
  await reader.cancel();
  return seen;
}

for (const bytes of [0, 1, 65_536, 1_000_000]) {
  testExecutables(
    `a reader that leaves after ${bytes} bytes: an error, all counted`,
    async (program) => {
      // Without loss and markers, so that what is read is what is out.
      const args = ["--capacity", "64KiB", "--when-full", "block", ...JSON_REPORTS];
      const spillway = start(program, args);
      const left = readAndLeave(spillway.stdout, bytes);
      try {
        // More than the pipes and the ring hold: it must notice.
        for (let line = 0; line < 200_000 && !spillway.ended; line += 1000) {
          await spillway.write(numberedLines(line, 1000));
        }
        await spillway.end();
      } catch (error) {
        if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
      }
      const seen = await left;
      assertEquals(await spillway.code, 4);
      const stderr = await spillway.stderr;
      assert(stderr.includes("standard output was closed by its reader"), stderr);
      const summary = summaryIn(stderr);
      checkConservation(summary);
      assert(Number(summary.bytes_out) >= seen, "what was read is out");
    },
  );
}

/** What is going on when the reader of the output leaves. */
const MOMENTS: Record<string, (spillway: Running) => Promise<void>> = {
  "while nothing is written": async (spillway) => {
    await spillway.counted("it reads", () => true);
  },
  "while a write to it is stuck": async (spillway) => {
    await spillway.write(numberedLines(0, STUCK_LINES));
    await spillway.reported("the stall", ({ event }) => event === "stall");
  },
  "while lines are being overwritten": async (spillway) => {
    await spillway.write(numberedLines(0, STUCK_LINES));
    await spillway.reported("the loss", ({ event }) => event === "loss");
  },
  "while it drains after a signal": async (spillway) => {
    await spillway.write(numberedLines(0, STUCK_LINES));
    await spillway.counted("all is read", (s) => s.lines_in === STUCK_LINES);
    await spillway.kill("SIGTERM");
  },
};

for (const [moment, comes] of Object.entries(MOMENTS)) {
  testExecutables(
    `a reader that leaves ${moment}: an error, all counted`,
    async (program) => {
      const spillway = start(program, STUCK);
      await comes(spillway);
      await spillway.stdout.cancel();
      await spillway.writeUntilItEnds();
      assertEquals(await spillway.code, 4);
      const stderr = await spillway.stderr;
      assert(stderr.includes("standard output was closed by its reader"), stderr);
      checkConservation(summaryIn(stderr));
      await spillway.end().catch(() => {});
    },
  );
}

testExecutables("a reader that is killed: an error, all counted", async (program) => {
  const script = `"$@" | { kill -STOP $BASHPID; cat; }`;
  const pipeline = startInShell(program, `set -o pipefail; ${script}`, STUCK);
  const reader = await childThatIsStopped(pipeline.pid);
  await pipeline.write(numberedLines(0, STUCK_LINES));
  Deno.kill(reader, "SIGKILL");
  await pipeline.readAll();
  // The shell says how the reader has ended, after the program with 4.
  assertEquals(await pipeline.code, KILLED);
  const stderr = await pipeline.stderr;
  const summary = summaryIn(stderr.slice(0, stderr.lastIndexOf("}\n") + 2));
  checkConservation(summary);
  assert(Number(summary.lines_unflushed) > 0);
  await pipeline.end().catch(ignoreBrokenPipe);
});

testExecutables("an input that does not block is waited for", async (program) => {
  // The pipe is set non-blocking for everybody before the program gets it.
  const script = `{ sleep 0.2; cat; } | python3 -c '
import os, sys
os.set_blocking(0, False)
os.execvp(sys.argv[1], sys.argv[1:])' "$@"`;
  const pipeline = startInShell(program, script, JSON_REPORTS);
  const output = pipeline.readAll();
  for (let line = 0; line < 2000; line += 1000) {
    await pipeline.write(numberedLines(line, 1000));
  }
  await pipeline.end();
  assertEquals(checkNumberedLines(await output).lines, 2000);
  assertEquals(await pipeline.code, 0);
  checkConservation(summaryIn(await pipeline.stderr));
});

testExecutables(
  "a writer that is stopped within a line goes on with it",
  async (program) => {
    const script = `{ printf 'whole\\nhal'; kill -STOP $BASHPID; echo f; } | "$@"`;
    const pipeline = startInShell(program, script, JSON_REPORTS);
    const reader = pipeline.stdout.getReader();
    const decoder = new TextDecoder();
    let seen = "";
    // The part comes out although its line has not ended.
    while (seen !== "whole\nhal") {
      seen += decoder.decode((await reader.read()).value, { stream: true });
    }
    Deno.kill(await childThatIsStopped(pipeline.pid), "SIGCONT");
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      seen += decoder.decode(next.value, { stream: true });
    }
    assertEquals(seen, "whole\nhalf\n");
    assertEquals(await pipeline.code, 0);
    const summary = summaryIn(await pipeline.stderr);
    checkConservation(summary);
    assertEquals([summary.lines_in, summary.bytes_in], [2, 11]);
    await pipeline.end().catch(ignoreBrokenPipe);
  },
);

testExecutables("stopped and continued, it loses nothing that fits the pipe", async (
  program,
) => {
  const spillway = start(program, JSON_REPORTS);
  const output = spillway.readAll();
  await spillway.write(numberedLines(0, 100));
  await spillway.counted("they are out", (s) => s.lines_out === 100);
  await freeze(spillway.pid);
  await spillway.write(numberedLines(100, 100));
  Deno.kill(spillway.pid, "SIGTERM");
  Deno.kill(spillway.pid, "SIGCONT");
  assertEquals(await spillway.code, 0);
  assertEquals(checkNumberedLines(await output).lines, 200);
  checkConservation(summaryIn(await spillway.stderr));
  await spillway.end().catch(ignoreBrokenPipe);
});

testExecutables(
  "a reader that is stopped costs lines, not time, and gets the rest",
  async (program) => {
    // The reader of the output is a process of its own that stops itself.
    const script = `"$@" | { kill -STOP $BASHPID; cat; }`;
    const args = ["--capacity", "64KiB", ...JSON_REPORTS];
    const pipeline = startInShell(program, script, args);
    const output = pipeline.readAll();
    const reader = await childThatIsStopped(pipeline.pid);
    const count = 20_000;
    // Returns although nobody reads.
    await pipeline.write(numberedLines(0, count));
    await pipeline.end();
    Deno.kill(reader, "SIGCONT");
    const seen = checkNumberedLines(await output);
    const summary = summaryIn(await pipeline.stderr);
    checkConservation(summary);
    assertEquals([summary.lines_in, summary.lines_out], [count, seen.lines]);
    assertEquals(summary.lines_overwritten, seen.lostLines);
    assertEquals(seen.lines + seen.lostLines, count);
    assert(seen.lostLines > 0);
  },
);

testExecutables("a writer that is killed within a line ends the input there", async (
  program,
) => {
  const script = `{ printf 'whole\\nhal'; kill -KILL $BASHPID; } | "$@"`;
  const pipeline = startInShell(program, script, JSON_REPORTS);
  const output = new TextDecoder().decode(await pipeline.readAll());
  assertEquals(output, "whole\nhal");
  assertEquals(await pipeline.code, 0);
  const summary = summaryIn(await pipeline.stderr);
  checkConservation(summary);
  assertEquals([summary.lines_in, summary.bytes_in], [2, 9]);
  await pipeline.end().catch(ignoreBrokenPipe);
});

async function childThatIsStopped(parent: number): Promise<number> {
  let found: number | undefined;
  await until("the reader to stop", () => {
    const children = Deno.readTextFileSync(`/proc/${parent}/task/${parent}/children`);
    found = children.split(" ").filter(Boolean).map(Number).find((child) =>
      isStopped(Deno.readTextFileSync(`/proc/${child}/status`))
    );
    return found !== undefined;
  });
  return found!;
}

function ignoreBrokenPipe(error: unknown): void {
  if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
}
