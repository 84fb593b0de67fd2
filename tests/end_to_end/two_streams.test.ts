import { assertEquals, assertNotEquals } from "@std/assert";
import { checkConservation, numberedLines } from "./numbered_lines.ts";
import { testExecutables } from "./programs.ts";
import { inFolder, start, summaryIn } from "./run.ts";

const decoder = new TextDecoder();
const encoder = new TextEncoder();

testExecutables(
  "a flood on one input costs no line of another",
  (program) =>
    inFolder(async (folder) => {
      const [quiet, flooded] = [`${folder}/quiet`, `${folder}/flooded`];
      const spillway = start(program, [
        ...["--fifo", `quiet=${quiet}`, "--fifo", `flooded=${flooded}`, "--create"],
        ...["--once", "--capacity", "256KiB", "--format", "ndjson", "--report", "json"],
      ]);
      await spillway.counted("it runs", () => true);
      const open = (path: string) => Deno.open(path, { write: true });
      const [quietly, flooding] = await Promise.all([open(quiet), open(flooded)]);
      const flood = encoder.encode(numberedLines(0, 10_000));
      const lines = encoder.encode(numberedLines(0, 5));
      const rounds = 20;
      // Nobody reads the output yet.
      for (let round = 0; round < rounds; round++) {
        await writeAll(quietly, lines);
        await writeAll(flooding, flood);
      }
      await spillway.counted("all is read", (s) => s.lines_in === rounds * 10_005);
      quietly.close();
      flooding.close();
      const output = decoder.decode(await spillway.readAll());
      assertEquals(await spillway.code, 0);
      const summary = summaryIn(await spillway.stderr);
      checkConservation(summary);
      const [first, second] = summary.inputs!;
      assertEquals([first!.lines_in, first!.lines_out], [5 * rounds, 5 * rounds]);
      assertNotEquals(second!.lines_overwritten, 0);
      const records = output.split("\n").slice(0, -1).map((line) => JSON.parse(line));
      const messages = records.filter(({ stream }) => stream === "quiet");
      assertEquals(
        messages.map(({ message }) => message).join("\n"),
        numberedLines(0, 5).repeat(rounds).trimEnd(),
      );
    }),
);

testExecutables(
  "two inputs come out in the order of their arrival",
  (program) =>
    inFolder(async (folder) => {
      const names = ["stdout", "stderr"];
      const spillway = start(program, [
        ...names.flatMap((name) => ["--fifo", `${name}=${folder}/${name}`]),
        ...["--create", "--once", "--format", "ndjson", "--report", "json"],
      ]);
      await spillway.counted("it runs", () => true);
      const writers = await Promise.all(
        names.map((name) => Deno.open(`${folder}/${name}`, { write: true })),
      );
      // More than a pipe holds: the output is stuck in these while the others come.
      const flood = numberedLines(0, 2000);
      await writeAll(writers[0]!, encoder.encode(flood));
      const rounds = 8;
      for (let round = 0; round < rounds; round++) {
        await writeAll(writers[round % 2]!, encoder.encode(`${round}\n`));
        await spillway.counted("it is read", (s) => s.lines_in === 2000 + round + 1);
      }
      writers.forEach((writer) => writer.close());
      const output = decoder.decode(await spillway.readAll()).trimEnd().split("\n");
      const last = output.slice(-rounds).map((line) => JSON.parse(line));
      assertEquals(
        last.map(({ stream, message }) => [stream, message]),
        Array.from({ length: rounds }, (_, round) => [names[round % 2], `${round}`]),
      );
      assertEquals(await spillway.code, 0);
    }),
);

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}

testExecutables(
  "says once that raw lines of several inputs do not show whose they are",
  (program) =>
    inFolder(async (folder) => {
      const fifos = ["a", "b"].flatMap((name) => ["--fifo", `${name}=${folder}/${name}`]);
      const notices = async (...args: readonly string[]) => {
        const all = [...fifos, "--create", "--report", "json", ...args];
        const spillway = start(program, all);
        await spillway.counted("it runs", () => true);
        await spillway.kill("SIGTERM");
        await Promise.all([spillway.readAll(), spillway.end()]);
        assertEquals(await spillway.code, 0);
        return spillway.reports.filter(({ event }) => event === "output_notice").length;
      };
      assertEquals(await notices(), 1);
      assertEquals(await notices("--format", "ndjson"), 0);
      assertEquals(await notices("--output", `${folder}/{input}.log`), 0);
    }),
);
