import { assert, assertEquals } from "@std/assert";
import { checkConservation, numberedLines } from "./numbered_lines.ts";
import { testPrograms } from "./programs.ts";
import { inFolder, startInShell, summaryIn } from "./run.ts";

const INPUTS = 1000;
const LINES = 20;
/** What the program may have open beyond one for each input and one for each file. */
const OWN_DESCRIPTORS = 64;

function descriptorsOf(pid: number): number {
  return Array.from(Deno.readDirSync(`/proc/${pid}/fd`)).length;
}

testPrograms(
  "a thousand FIFOs go to a thousand files, every line of each to its own",
  (program) =>
    inFolder(async (folder) => {
      const names = Array.from({ length: INPUTS }, (_, index) => `in${index}`);
      const fifos = names.flatMap((name) => ["--fifo", `${name}=${folder}/${name}`]);
      const spillway = startInShell(program, 'ulimit -n 4096; exec "$@"', [
        ...fifos,
        ...["--create", "--once", "--capacity", "64KiB", "--report", "json"],
        ...["--output", `${folder}/{input}.log`],
      ]);
      const all = spillway.readAll();
      await spillway.counted("it reads", ({ inputs }) => inputs!.length === INPUTS);
      const writers = await Promise.all(
        names.map((name) => Deno.open(`${folder}/${name}`, { write: true })),
      );
      const textOf = (index: number) => numberedLines(index * LINES, LINES);
      await Promise.all(writers.map(async (writer, index) => {
        await writer.write(new TextEncoder().encode(textOf(index)));
      }));
      await spillway.counted("all is out", (s) => s.lines_out === INPUTS * LINES);
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
      for (const [index, name] of names.entries()) {
        const written = await Deno.readTextFile(`${folder}/${name}.log`);
        assertEquals(written, textOf(index));
      }
    }),
);
