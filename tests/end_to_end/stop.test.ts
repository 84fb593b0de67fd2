import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  checkConservation,
  checkNumberedLines,
  numberedLines,
} from "./numbered_lines.ts";
import { NEEDS_STRACE } from "./installed.ts";
import { testPrograms } from "./programs.ts";
import { inFolder, Running, start, summaryIn, threadTexts, until } from "./run.ts";

const JSON_REPORTS = ["--report", "json"];

testPrograms("reads what is in the pipe and drains on SIGTERM", async (program) => {
  const spillway = start(program, JSON_REPORTS);
  const output = spillway.readAll();
  await spillway.counted("it reads", () => true);
  await spillway.write(numberedLines(0, 5000));
  // The writer keeps the pipe open: only the signal can end the program.
  await spillway.kill("SIGTERM");
  assertEquals(await spillway.code, 0);
  const seen = checkNumberedLines(await output);
  assertEquals([seen.lines, seen.lostLines], [5000, 0]);
  checkConservation(summaryIn(await spillway.stderr));
  await spillway.end().catch(() => {});
});

testPrograms("ends at the deadline while the output is stuck", async (program) => {
  const spillway = start(program, ["--drain-timeout", "200ms", ...JSON_REPORTS]);
  await spillway.write(numberedLines(0, 20_000));
  await spillway.end();
  assertEquals(await spillway.code, 4);
  const summary = summaryIn(await spillway.stderr);
  checkConservation(summary);
  // What the pipe has taken is exactly what is called out, to the byte.
  const output = await spillway.readAll();
  assertEquals(output.length, summary.bytes_out);
  assertEquals(
    new TextDecoder().decode(output).split("\n").length - 1,
    summary.lines_out,
  );
  assert(Number(summary.lines_unflushed) > 0);
});

testPrograms("ends at once, with the summary, on a second signal", async (program) => {
  const spillway = start(program, ["--drain-timeout", "1h", ...JSON_REPORTS]);
  await spillway.write(numberedLines(0, 20_000));
  await spillway.counted("all is read", (s) => s.lines_in === 20_000);
  await spillway.kill("SIGTERM");
  await spillway.kill("SIGINT");
  assertEquals(await spillway.code, 4);
  checkConservation(summaryIn(await spillway.stderr));
  await spillway.stdout.cancel();
  await spillway.end().catch(() => {});
});

testPrograms("ends on a signal while no writer has come", async (program) => {
  await inFolder(async (folder) => {
    const fifo = `${folder}/fifo`;
    const spillway = start(program, ["--fifo", fifo, "--create", ...JSON_REPORTS]);
    // The program listens to signals before it makes anything that must be removed.
    await until("the FIFO", () => Deno.stat(fifo).then(() => true, () => false));
    await spillway.kill("SIGTERM");
    assertEquals(await spillway.code, 0);
    checkConservation(summaryIn(await spillway.stderr));
    await spillway.readAll();
  });
});

/** Threads that wait for standard input, which only the reader does: epoll_wait(2). */
function readersOf(pid: number): string[] {
  const found = [...threadTexts(pid, "syscall")].filter(([, call]) => {
    const match = /^(?:232|281|22|441) (0x[0-9a-f]+)/.exec(call);
    if (match === null) return false;
    const watched = Deno.readTextFileSync(`/proc/${pid}/fdinfo/${Number(match[1])}`);
    return /^tfd: +0 /m.test(watched);
  });
  return found.map(([thread]) => thread);
}

testPrograms("ends with 1 and a summary when the reader thread dies", async (program) => {
  const spillway = start(program, JSON_REPORTS);
  const output = spillway.readAll();
  await spillway.write(numberedLines(0, 100));
  await spillway.counted("they are out", (s) => s.lines_out === 100);
  let readers: string[] = [];
  await until("the reader to wait", () => {
    readers = readersOf(spillway.pid);
    return readers.length === 1;
  });
  const reader = readers[0]!;
  const strace = new Running([
    "strace",
    ...["-p", reader, "-e", "trace=epoll_wait,epoll_pwait"],
    ...["-e", "inject=epoll_wait,epoll_pwait:error=ENOMEM:when=1"],
  ]);
  // The next epoll_wait, usually after the one that strace interrupts, fails in a way that
  // the reader cannot know what to do with. Those after it are the runtime's.
  await until("strace", () => isTraced(spillway.pid, reader));
  await spillway.write(numberedLines(100, 1)).catch(() => {});
  assertEquals(await spillway.code, 1);
  const stderr = await spillway.stderr;
  assertStringIncludes(
    stderr,
    "the reader thread died: epoll_wait failed: Cannot allocate memory",
  );
  checkConservation(summaryIn(stderr));
  assert(checkNumberedLines(await output).lines >= 100);
  await strace.code;
  await Promise.all([strace.readAll(), spillway.end().catch(() => {})]);
}, NEEDS_STRACE);

/** Or was: the thread may have died of it already. */
function isTraced(pid: number, thread: string): boolean {
  const status = threadTexts(pid, "status").get(thread);
  return status === undefined || !/TracerPid:\s*0\n/.test(status);
}
