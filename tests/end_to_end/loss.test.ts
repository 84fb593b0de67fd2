import { assert, assertEquals } from "@std/assert";
import {
  checkConservation,
  checkNumberedLines,
  numberedLines,
} from "./numbered_lines.ts";
import { testExecutables } from "./programs.ts";
import { run, start, startInShell, summaryIn } from "./run.ts";

const JSON_REPORTS = ["--report", "json"];
const SMALL = ["--capacity", "64KiB", ...JSON_REPORTS];
const MIB = 1024 * 1024;

testExecutables("overwrites the oldest lines and says which", async (program) => {
  const spillway = start(program, SMALL);
  const count = 20_000;
  await spillway.write(numberedLines(0, count));
  await spillway.counted("all is read", (s) => s.lines_in === count);
  await spillway.end();
  const seen = checkNumberedLines(await spillway.readAll());
  assertEquals(await spillway.code, 0);
  const summary = summaryIn(await spillway.stderr);
  checkConservation(summary);
  assertEquals(summary.lines_in, count);
  assertEquals(summary.lines_out, seen.lines);
  assertEquals(summary.lines_overwritten, seen.lostLines);
  assertEquals(summary.bytes_overwritten, seen.lostBytes);
  assertEquals(summary.lines_unflushed, 0);
  assert(seen.lostLines > 0, "the output was too fast for this test");
  assertEquals(seen.lines + seen.lostLines, count);
});

testExecutables(
  "drops the newest lines when asked to, and says which",
  async (program) => {
    const spillway = start(program, [...SMALL, "--when-full", "drop-newest"]);
    const count = 20_000;
    await spillway.write(numberedLines(0, count));
    await spillway.counted("all is read", (s) => s.lines_in === count);
    await spillway.end();
    const output = await spillway.readAll();
    const seen = checkNumberedLines(output);
    const summary = summaryIn(await spillway.stderr);
    checkConservation(summary);
    assertEquals(summary.lines_dropped, seen.lostLines);
    assertEquals(summary.lines_overwritten, 0);
    assert(seen.lostLines > 0, "the output was too fast for this test");
    const first = new TextDecoder().decode(output.subarray(0, 100));
    assertEquals(first, numberedLines(0, 1), "the oldest line is kept");
  },
);

testExecutables("blocks the writer when asked to, and loses nothing", async (program) => {
  const spillway = start(program, [...SMALL, "--when-full", "block"]);
  const count = 30_000;
  const written = spillway.write(numberedLines(0, count)).then(() => spillway.end());
  const status = await spillway.counted(
    "the ring is full",
    (s) => Number(s.bytes_in) > 65536,
  );
  assert(Number(status.lines_in) < count, "the writer was not blocked");
  const seen = checkNumberedLines(await spillway.readAll());
  await written;
  assertEquals(seen, { lines: count, lostLines: 0, lostBytes: 0, markers: 0 });
  assertEquals(await spillway.code, 0);
  checkConservation(summaryIn(await spillway.stderr));
});

testExecutables("leaves markers out when asked to", async (program) => {
  const spillway = start(program, [...SMALL, "--no-markers"]);
  await spillway.write(numberedLines(0, 20_000));
  await spillway.counted("all is read", (s) => s.lines_in === 20_000);
  await spillway.end();
  const text = new TextDecoder().decode(await spillway.readAll());
  const summary = summaryIn(await spillway.stderr);
  assertEquals(text.split("\n").length - 1, summary.lines_out);
  assertEquals(text.length, summary.bytes_out);
  assert(!text.includes("spillway:"));
  assert(Number(summary.lines_overwritten) > 0);
});

testExecutables("exits with 3 when lines were lost and that matters", async (program) => {
  const spillway = start(program, [...SMALL, "--fail-on-loss"]);
  await spillway.write(numberedLines(0, 20_000));
  await spillway.counted("all is read", (s) => s.lines_in === 20_000);
  await spillway.end();
  await spillway.readAll();
  assertEquals(await spillway.code, 3);
  const lossless = await run(program, ["--fail-on-loss"], "one line\n");
  assertEquals(lossless.code, 0);
});

testExecutables(
  "goes on reading at a frozen output, as long as it takes",
  async (program) => {
    const spillway = start(program, ["--capacity", "1MiB", ...JSON_REPORTS]);
    const chunk = numberedLines(0, 10_000);
    for (let round = 0; round < 64; round++) await spillway.write(chunk);
    const counts = await spillway.counted("all is read", (s) => s.lines_in === 640_000);
    assert(Number(counts.bytes_overwritten) > 60_000_000);
    // What is kept is the newest, and about as much as was asked for.
    const kept = Number(counts.bytes_buffered);
    assert(kept > 0.95 * MIB && kept < 2 * MIB, `${kept} bytes are kept`);
    const loss = await spillway.reported("the loss", ({ event }) => event === "loss");
    assertEquals(loss.input, "stdout");
    await spillway.kill("SIGTERM");
    await spillway.readAll();
    assertEquals(await spillway.code, 0);
  },
);

testExecutables("reports a loss and the summary as text", async (program) => {
  const spillway = start(program, ["--capacity", "64KiB", "--report", "text"]);
  await spillway.write(numberedLines(0, 50_000));
  await spillway.end();
  await spillway.readAll();
  const stderr = await spillway.stderr;
  assert(stderr.split("\n").slice(0, -1).every((line) => line.startsWith("spillway: ")));
  assert(!stderr.includes("stdout"), "standard input is called what it is not");
  assert(
    /50000 lines \(5 MB\) in, \d+ lines \([^)]+\) out, .* overwritten/.test(stderr),
    stderr,
  );
});

testExecutables("says nothing with --report none", async (program) => {
  const { code, stderr } = await run(program, ["--report", "none"], "a\n");
  assertEquals([code, stderr], [0, ""]);
});

testExecutables(
  "is not held up by a standard error that nobody reads",
  async (program) => {
    // The reports go into a pipe that is full, and stays full.
    const spillway = startInShell(
      program,
      `exec 3> >(exec sleep 1000); sleeper=$!
     dd if=/dev/zero of=/dev/fd/3 bs=4096 count=16 status=none
     "$@" 2>&3; code=$?; kill $sleeper; exit $code`,
      ["--capacity", "64KiB", "--drain-timeout", "20s"],
    );
    const output = spillway.readAll();
    await spillway.write(numberedLines(0, 50_000));
    await spillway.end();
    assertEquals(await spillway.code, 0);
    const seen = checkNumberedLines(await output);
    assertEquals(seen.lines + seen.lostLines, 50_000);
  },
);
