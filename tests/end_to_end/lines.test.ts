import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { checkConservation, numberedLines } from "./numbered_lines.ts";
import { testExecutables } from "./programs.ts";
import { run, start, summaryIn } from "./run.ts";

const JSON_REPORTS = ["--report", "json"];

testExecutables("delivers a line far over the limit as it came", async (program) => {
  const line = "abcdefgh".repeat(200_000);
  const text = `before\n${line}\nafter\n`;
  for (const maxLine of ["1KiB", "64KiB"]) {
    const flags = ["--max-line", maxLine, "--when-full", "block", ...JSON_REPORTS];
    const { code, stdout, stderr } = await run(program, flags, text);
    assertEquals(code, 0);
    assertEquals(new TextDecoder().decode(stdout), text);
    const summary = summaryIn(stderr);
    assertEquals([summary.lines_in, summary.lines_out], [3, 3]);
    checkConservation(summary);
  }
});

testExecutables(
  "loses the rest of a line with the piece that is lost",
  async (program) => {
    const spillway = start(program, [
      "--capacity",
      "64KiB",
      "--max-line",
      "1KiB",
      ...JSON_REPORTS,
    ]);
    // One endless line, far more than the pipe and the ring hold, at a frozen output.
    const long = "x".repeat(2_000_000);
    await spillway.write("first\n");
    await spillway.counted("the first line is out", (s) => s.lines_out === 1);
    await spillway.write(long);
    await spillway.counted("all is read", (s) => s.bytes_in === 6 + long.length);
    await spillway.write("END\nlast\n");
    await spillway.counted("the end is read", (s) => s.lines_in === 3);
    await spillway.end();
    const lines = new TextDecoder().decode(await spillway.readAll()).split("\n");
    assertEquals(await spillway.code, 0);
    const summary = summaryIn(await spillway.stderr);
    checkConservation(summary);
    assertEquals(lines[0], "first");
    assertEquals(lines.at(-2), "last");
    assertStringIncludes(lines.at(-3)!, "spillway: 1 line (");
    assert(
      !lines.some((line) => line.endsWith("END")),
      "the end of a torn line came out",
    );
    // What got out of it before it was torn is on a line of its own.
    const pieces = lines.slice(1, -3);
    assert(
      pieces.length <= 1 && pieces.every((piece) => /^x+$/.test(piece)),
      lines.join("\n"),
    );
    assertEquals([summary.lines_in, summary.lines_out, summary.lines_overwritten], [
      3,
      2,
      1,
    ]);
  },
);

testExecutables("hands on a prompt that waits for its newline", async (program) => {
  const spillway = start(program, JSON_REPORTS);
  await spillway.write("login: ");
  const reader = spillway.stdout.getReader();
  const first = new TextDecoder().decode((await reader.read()).value);
  assertEquals(first, "login: ");
  await spillway.write("root\n");
  const second = new TextDecoder().decode((await reader.read()).value);
  assertEquals(second, "root\n");
  await spillway.end();
  assertEquals(await spillway.code, 0);
  const summary = summaryIn(await spillway.stderr);
  assertEquals([summary.lines_in, summary.lines_out], [1, 1]);
  await reader.cancel();
});

testExecutables("gives the same output for any way the input is cut", async (program) => {
  const text = "a\n\nbb\r\nünï\n" + "long ".repeat(500) + "\n\0\nend";
  const bytes = new TextEncoder().encode(text);
  for (const size of [1, 3, 64, 1000]) {
    const spillway = start(program, ["--max-line", "128", ...JSON_REPORTS]);
    const output = spillway.readAll();
    for (let at = 0; at < bytes.length; at += size) {
      await spillway.write(bytes.slice(at, at + size));
    }
    await spillway.end();
    assertEquals(await output, bytes);
    assertEquals(summaryIn(await spillway.stderr).lines_out, 7);
  }
});

testExecutables("cuts no line in two while its writer is blocked", async (program) => {
  const flags = ["--when-full", "block", "--capacity", "64KiB", "--format", "ndjson"];
  const spillway = start(program, [...flags, ...JSON_REPORTS]);
  const count = 20_000;
  const written = spillway.write(numberedLines(0, count)).then(() => spillway.end());
  await spillway.counted(
    "nothing is read for longer than an unfinished line is waited for",
    (status) => Number(status.stalled_ms) > 1500,
  );
  const records = new TextDecoder().decode(await spillway.readAll()).trimEnd().split(
    "\n",
  );
  await written;
  assertEquals(records.length, count);
  assert(!records.some((record) => record.includes("partial")), "a line was cut in two");
});
