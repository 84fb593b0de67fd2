import { assert, assertEquals } from "@std/assert";
import { checkConservation, numberedLines } from "./numbered_lines.ts";
import { testExecutables } from "./programs.ts";
import { inFolder, startInShell, summaryIn, until } from "./run.ts";

const INPUTS = 1000;
const LINES = 20;
/** What the program may have open beyond one for each input and one for each file. */
const OWN_DESCRIPTORS = 64;

function descriptorsOf(pid: number): number {
  return Array.from(Deno.readDirSync(`/proc/${pid}/fd`)).length;
}

testExecutables(
  "a thousand FIFOs go to a thousand files, every line of each to its own",
  (program) =>
    inFolder(async (folder) => {
      const names = Array.from({ length: INPUTS }, (_, index) => `in${index}`);
      const fifos = names.flatMap((name) => ["--fifo", `${name}=${folder}/${name}`]);
      const paths = names.map((name) => `${folder}/${name}`);
      const { success } = await new Deno.Command("mkfifo", { args: paths }).output();
      assert(success);
      const spillway = startInShell(program, 'ulimit -n 4096; exec "$@"', [
        ...fifos,
        ...["--once", "--capacity", "64KiB", "--report", "json"],
        ...["--output", `${folder}/{input}.log`],
      ]);
      const all = spillway.readAll();
      const writers = await Promise.all(
        paths.map((path) => Deno.open(path, { write: true })),
      );
      const textOf = (index: number) => numberedLines(index * LINES, LINES);
      await Promise.all(writers.map(async (writer, index) => {
        await writer.write(new TextEncoder().encode(textOf(index)));
      }));
      for (const [index, path] of paths.entries()) {
        const { length } = textOf(index);
        await until(`${path}.log`, () => Deno.statSync(`${path}.log`).size === length);
      }
      const own = descriptorsOf(spillway.pid) - 2 * INPUTS;
      assert(own <= OWN_DESCRIPTORS, `${own} descriptors of its own`);
      for (const writer of writers) writer.close();
      await all;
      assertEquals(await spillway.code, 0);
      const summary = summaryIn(await spillway.stderr);
      checkConservation(summary);
      assertEquals(
        summary.inputs!.map(({ lines_out }) => lines_out),
        names.map(() => LINES),
      );
      for (const [index, path] of paths.entries()) {
        assertEquals(await Deno.readTextFile(`${path}.log`), textOf(index));
      }
    }),
);
