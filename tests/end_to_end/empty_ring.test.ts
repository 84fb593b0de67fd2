import { assert, assertEquals } from "@std/assert";
import { checkNumberedLines, numberedLines } from "./numbered_lines.ts";
import { testExecutables } from "./programs.ts";
import { start, until } from "./run.ts";

const MIB = 1024 * 1024;
/** Of 100 bytes each: 20 MB. */
const LINES = 200_000;
/** Through a ring that has been given back. */
const MORE = 20_000;
const FULL_BYTES = 17 * MIB;
/** What a runtime may take or leave meanwhile. */
const SLACK_BYTES = 8 * MIB;

/** Memory of its own: proc_pid_smaps(5). */
function anonymousBytes(pid: number): number {
  const rollup = Deno.readTextFileSync(`/proc/${pid}/smaps_rollup`);
  return 1024 * Number(/^Anonymous: +(\d+) kB$/m.exec(rollup)![1]);
}

/** What records of `json-file` hold, one a line. */
function contentOf(records: Uint8Array): Uint8Array {
  const lines = new TextDecoder().decode(records).trimEnd().split("\n");
  return new TextEncoder().encode(lines.map((line) => JSON.parse(line).log).join(""));
}

testExecutables("a ring that has become empty gives its memory back", async (program) => {
  const spillway = start(program, [
    ...["--capacity", "32MiB", "--report", "json"],
    // It has memory of its own, of which a part is needed for ever.
    ...["--format", "json-file"],
  ]);
  await spillway.write(numberedLines(0, 1));
  await spillway.counted("the first line", (s) => s.lines_in === 1);
  const before = anonymousBytes(spillway.pid);
  // Nobody reads the output yet.
  await spillway.write(numberedLines(1, LINES - 1));
  await spillway.counted("all is read", (s) => s.lines_in === LINES);
  const full = anonymousBytes(spillway.pid) - before;
  assert(full > FULL_BYTES, `the ring holds ${full} bytes`);
  const output = spillway.readAll();
  await spillway.counted("all is written", (s) => s.lines_out === LINES);
  await until(
    "the memory to be given back",
    () => anonymousBytes(spillway.pid) - before < SLACK_BYTES,
  );
  await spillway.write(numberedLines(LINES, MORE));
  await spillway.end();
  assertEquals(checkNumberedLines(contentOf(await output)).lines, LINES + MORE);
  assertEquals(await spillway.code, 0);
});
