import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { close, O_NONBLOCK, O_RDONLY, open, read } from "../../src/system/descriptors.ts";
import { addressOf } from "../../src/system/memory.ts";
import { readableBytes, setPipeSize } from "../../src/system/pipes.ts";
import { makeFullFifo } from "./full_fifo.ts";
import {
  checkConservation,
  checkNumberedLines,
  numberedLines,
} from "./numbered_lines.ts";
import { testExecutables } from "./programs.ts";
import { inFolder, run, type Running, start, summaryIn, until } from "./run.ts";

const JSON_REPORTS = ["--report", "json"];
const LINE = 100;
const decoder = new TextDecoder();

/** What a program that reads the pipe has read when it ends. */
async function readWith(command: string, args: readonly string[]): Promise<Uint8Array> {
  const { stdout } = await new Deno.Command(command, { args: [...args] }).output();
  return stdout;
}

/** Reads once, at most so many bytes, and leaves. */
function readOnce(fifo: string, bytes: number): Promise<Uint8Array> {
  return readWith("dd", [`if=${fifo}`, `bs=${bytes}`, "count=1", "status=none"]);
}

function made(fifo: string): Promise<void> {
  return until("the pipe", () => Deno.stat(fifo).then(() => true, () => false));
}

/** Waits until the program has seen that nobody reads any more. */
async function noticedLeaving(spillway: Running, fifo: string): Promise<void> {
  const folder = `/proc/${spillway.pid}/fd`;
  await until("the pipe to be closed", () => {
    for (const { name } of Deno.readDirSync(folder)) {
      try {
        if (Deno.readLinkSync(`${folder}/${name}`) === fifo) return false;
      } catch (error) {
        // Closed since the folder was read.
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
    return true;
  });
}

testExecutables(
  "a FIFO's reader gets the newest lines, the marker first",
  (program) =>
    inFolder(async (folder) => {
      const fifo = `${folder}/logs`;
      const spillway = start(program, [
        ...["--output", `fifo:${fifo}`, "--capacity", "64KiB"],
        ...JSON_REPORTS,
      ]);
      const count = 20_000;
      await spillway.write(numberedLines(0, count));
      await spillway.counted("all is read", (s) => s.lines_in === count);
      const reader = readWith("cat", [fifo]);
      await spillway.end();
      const output = await reader;
      assertMatch(decoder.decode(output.subarray(0, 10)), /^spillway: $/);
      const seen = checkNumberedLines(output);
      assertEquals([seen.markers, seen.lines + seen.lostLines], [1, count]);
      const summary = summaryIn(await spillway.stderr);
      checkConservation(summary);
      assertEquals(summary.lines_out, seen.lines);
      assertEquals(await spillway.code, 0);
    }),
);

testExecutables(
  "each reader of a FIFO goes on where the last one left, with a whole line",
  (program) =>
    inFolder(async (folder) => {
      const fifo = `${folder}/logs`;
      const count = 2000;
      const spillway = start(program, ["--output", `fifo:${fifo}`, ...JSON_REPORTS]);
      await spillway.write(numberedLines(0, count));
      // From now on the pipe is there, and holds what whole lines fit a page.
      await spillway.counted("all is read", (s) => s.lines_in === count);
      let lines = 0;
      // Within a line, all but its newline, exactly a line, and all that the pipe holds.
      for (const bytes of [1050, 99, 100, 4000, 4000, 1]) {
        const text = decoder.decode(await readOnce(fifo, bytes));
        const whole = Math.floor(bytes / LINE);
        assertEquals(text, numberedLines(lines, whole + 1).slice(0, bytes));
        lines += whole;
        await noticedLeaving(spillway, fifo);
        const status = await spillway.counted(
          `${lines} lines were read`,
          (s) => s.lines_out === lines,
        );
        assertEquals(status.bytes_out, lines * LINE);
      }
      const reader = readWith("cat", [fifo]);
      await spillway.end();
      assertEquals(decoder.decode(await reader), numberedLines(lines, count - lines));
      assertEquals(await spillway.code, 0);
      const summary = summaryIn(await spillway.stderr);
      checkConservation(summary);
      assertEquals([summary.lines_out, summary.lines_overwritten], [count, 0]);
    }),
);

testExecutables(
  "what a reader leaves unread is the next one's, also where it has made the pipe larger",
  (program) =>
    inFolder(async (folder) => {
      const fifo = `${folder}/logs`;
      const count = 2000;
      const spillway = start(program, ["--output", `fifo:${fifo}`, ...JSON_REPORTS]);
      await made(fifo);
      const reader = open(fifo, O_RDONLY | O_NONBLOCK);
      await spillway.write(numberedLines(0, 1));
      await until("the first line", () => readableBytes(reader) === LINE);
      const size = setPipeSize(reader, 1024 * 1024);
      assert(size >= count * LINE, `${size}`);
      await spillway.write(numberedLines(1, count - 1));
      await spillway.counted("all is read", (s) => s.lines_in === count);
      const bytes = new Uint8Array(1050);
      let length = 0;
      await until("ten lines and a half", () => {
        const space = bytes.subarray(length);
        length += Math.max(0, read(reader, addressOf(space), space.length));
        return length === bytes.length;
      });
      close(reader);
      assertEquals(decoder.decode(bytes), numberedLines(0, 11).slice(0, length));
      const status = await spillway.counted(
        "ten lines",
        (s) => Number(s.lines_out) >= 10,
      );
      assertEquals(status.lines_out, 10);
      await noticedLeaving(spillway, fifo);
      const rest = readWith("cat", [fifo]);
      await spillway.end();
      assertEquals(decoder.decode(await rest), numberedLines(10, count - 10));
      assertEquals(await spillway.code, 0);
      checkConservation(summaryIn(await spillway.stderr));
    }),
);

testExecutables(
  "a FIFO's reader sees lines as they come, longer ones than the pipe too",
  (program) =>
    inFolder(async (folder) => {
      const fifo = `${folder}/logs`;
      const spillway = start(program, ["--output", `fifo:${fifo}`, ...JSON_REPORTS]);
      await made(fifo);
      const reader = readWith("cat", [fifo]);
      const lines = [10, 5000, 60_000, 200_000].map((length) =>
        "x".repeat(length) + "\n"
      );
      for (const [index, line] of lines.entries()) {
        await spillway.write(line);
        await spillway.counted("it was read", (s) => s.lines_out === index + 1);
      }
      await spillway.end();
      assertEquals(decoder.decode(await reader), lines.join(""));
      assertEquals(await spillway.code, 0);
    }),
);

testExecutables(
  "what no reader of a FIFO has come for is counted as unflushed",
  (program) =>
    inFolder(async (folder) => {
      const { code, stderr } = await run(program, [
        ...["--output", `fifo:${folder}/logs`, "--drain-timeout", "100ms"],
        ...JSON_REPORTS,
      ], numberedLines(0, 100));
      assertEquals(code, 4);
      const summary = summaryIn(stderr);
      checkConservation(summary);
      assertEquals([summary.lines_out, summary.lines_unflushed], [0, 100]);
      const made = await Deno.stat(`${folder}/logs`);
      assert(made.isFifo);
      assertEquals(made.mode! & 0o777, 0o640 & ~Deno.umask());
    }),
);

testExecutables("a FIFO without a reader stalls, and ends at once when nothing is left", (
  program,
) =>
  inFolder(async (folder) => {
    const fifo = `${folder}/logs`;
    const spillway = start(program, ["--output", `fifo:${fifo}`, ...JSON_REPORTS]);
    await spillway.write(numberedLines(0, 1));
    await spillway.reported("the stall", ({ event }) => event === "stall");
    assert(spillway.reports.every(({ event }) => event !== "sink_failing"));
    assertEquals((await readOnce(fifo, LINE)).length, LINE);
    await spillway.end();
    assertEquals(await spillway.code, 0);
    assertEquals(summaryIn(await spillway.stderr).lines_out, 1);
  }));

testExecutables(
  "makes its FIFO again when somebody has removed it",
  (program) =>
    inFolder(async (folder) => {
      const fifo = `${folder}/logs`;
      const spillway = start(program, ["--output", `fifo:${fifo}`]);
      await spillway.write(numberedLines(0, 10));
      await made(fifo);
      await Deno.remove(fifo);
      await made(fifo);
      const reader = readWith("cat", [fifo]);
      await spillway.end();
      assertEquals(decoder.decode(await reader), numberedLines(0, 10));
      assertEquals(await spillway.code, 0);
    }),
);

testExecutables(
  "refuses a FIFO that cannot be one",
  (program) =>
    inFolder(async (folder) => {
      const file = `${folder}/file`;
      await Deno.writeTextFile(file, "precious\n");
      const refusals: [string, number, RegExp][] = [
        [`fifo:${file}`, 1, /file": not a FIFO but a regular file; make one/],
        [`fifo:${folder}/missing/logs`, 1, /cannot make FIFO .*\(ENOENT\); its folder/],
        ["fifo:", 2, /--output: "fifo:" names no pipe; write fifo:PATH/],
      ];
      for (const [output, status, message] of refusals) {
        const { code, stderr } = await run(program, ["--output", output]);
        assertEquals(code, status);
        assertMatch(stderr, message);
      }
      assertEquals(await Deno.readTextFile(file), "precious\n");
    }),
);

testExecutables(
  "waits while another one writes to the same pipe, and mixes no lines with it",
  (program) =>
    inFolder(async (folder) => {
      const fifo = `${folder}/logs`;
      const args = ["--output", `fifo:${fifo}`, ...JSON_REPORTS];
      const first = start(program, args);
      await made(fifo);
      const output = readWith("cat", [fifo]);
      // The reader has a writer until both are done.
      const keeper = await Deno.open(fifo, { write: true });
      await first.write(numberedLines(0, 10));
      await first.counted("they are read", (s) => s.lines_out === 10);
      const second = start(program, args);
      await second.write(numberedLines(1000, 1000));
      await second.reported(
        "the other one",
        ({ event, message }) =>
          event === "sink_failing" && message!.includes("another process writes to it"),
      );
      await first.write(numberedLines(10, 990));
      for (const spillway of [first, second]) {
        await spillway.end();
        assertEquals(await spillway.code, 0);
        await spillway.readAll();
      }
      keeper.close();
      assertEquals(decoder.decode(await output), numberedLines(0, 2000));
    }),
);

testExecutables(
  "waits until what a FIFO holds from before has been read",
  (program) =>
    inFolder(async (folder) => {
      const path = `${folder}/full`;
      const full = makeFullFifo(path);
      const spillway = start(program, ["--output", `fifo:${path}`, ...JSON_REPORTS]);
      await spillway.write("a line\n");
      const report = await spillway.reported(
        "the failure",
        ({ event }) => event === "sink_failing",
      );
      assertStringIncludes(report.message ?? "", "it still holds what was written");
      const bytes = new Uint8Array(full.bytes + 100);
      let length = 0;
      await until("the line after what was there", () => {
        const space = bytes.subarray(length);
        length += Math.max(0, read(full.reader, addressOf(space), space.length));
        return length > full.bytes;
      });
      full.close();
      assertEquals(decoder.decode(bytes.subarray(full.bytes, length)), "a line\n");
      await spillway.end();
      assertEquals(await spillway.code, 0);
      assertEquals(summaryIn(await spillway.stderr).lines_out, 1);
    }),
);
