/** A command whose streams part, or whose output has lost its reader. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { constants } from "node:os";
import { testExecutables } from "./programs.ts";
import { inFolder, run, startInShell } from "./run.ts";

const SIGPIPE = 128 + constants.signals.SIGPIPE;
const BLOCK = ["--when-full", "block", "--capacity", "64KiB"];
const decoder = new TextDecoder();

testExecutables(
  "each stream of a command goes to a file of its own",
  (program) =>
    inFolder(async (folder) => {
      const script = "seq 20000; seq 20000 -1 1 >&2; exit 3";
      const flags = ["--output", `${folder}/{input}.log`, "--report", "none"];
      const finished = await run(program, [...flags, "--", "sh", "-c", script]);
      assertEquals([finished.code, finished.stdout.length, finished.stderr], [3, 0, ""]);
      const numbers = Array.from({ length: 20_000 }, (_, index) => `${index + 1}`);
      for (
        const [name, lines] of [["stdout", numbers], ["stderr", numbers.toReversed()]]
      ) {
        assertEquals(
          await Deno.readTextFile(`${folder}/${name}.log`),
          `${(lines as string[]).join("\n")}\n`,
        );
      }
    }),
);

testExecutables(
  "a command that waits for room gets SIGPIPE when its reader leaves",
  async (program) => {
    const pipeline = startInShell(
      program,
      '"$@" | head -n 1; echo "${PIPESTATUS[0]}"',
      [...BLOCK, "--", "yes"],
    );
    const output = pipeline.readAll();
    assertEquals(await pipeline.code, 0);
    assertEquals(decoder.decode(await output), `y\n${SIGPIPE}\n`);
    await pipeline.end().catch(() => {});
  },
);

testExecutables(
  "a stream whose reader has left takes nothing of the other",
  async (program) => {
    const script = `trap '' PIPE; while echo line; do :; done 2>/dev/null
      echo "nobody reads" >&2; exit 6`;
    const pipeline = startInShell(
      program,
      '"$@" | head -n 1; echo "${PIPESTATUS[0]}"',
      [...BLOCK, "--", "bash", "-c", script],
    );
    const output = pipeline.readAll();
    assertEquals(await pipeline.code, 0);
    assertEquals(decoder.decode(await output), "line\n6\n");
    assertStringIncludes(await pipeline.stderr, "nobody reads\n");
    await pipeline.end().catch(() => {});
  },
);
