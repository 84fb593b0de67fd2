/** A command whose streams part, or whose output has lost its reader. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { constants } from "node:os";
import { NOBODYS_PROGRAMS, startAsNobody } from "./nobody.ts";
import { testExecutables, testPrograms } from "./programs.ts";
import { inFolder, run, type Running, startInShell, summaryIn, until } from "./run.ts";

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

/** More than any socket takes on its way, and then a word on the other stream. */
const FLOOD = ["--no-markers", "--capacity", "1MiB", "--report", "json", "--"].concat([
  "sh",
  "-c",
  "yes | head -c 20000000; echo on the other stream >&2; read -r line",
]);

/** Nobody reads its standard output until something has come out of the other stream. */
async function checkOtherStream(
  spillway: Running,
  readAll: () => Promise<Uint8Array>,
): Promise<void> {
  await until(
    "the other stream",
    () => spillway.stderrSoFar.includes("on the other stream\n"),
  );
  const output = readAll();
  await spillway.end();
  const { length } = await output;
  assertEquals(await spillway.code, 1, "as read(1) at the end of the input");
  const { inputs } = summaryIn(await spillway.stderr);
  assertEquals(inputs!.map(({ bytes_out }) => bytes_out), [length, 20]);
}

testExecutables(
  "a socket at standard output that takes nothing keeps nothing of standard error",
  async (program) => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const script = `exec 3<>/dev/tcp/127.0.0.1/${listener.addr.port}; exec "$@" >&3 3>&-`;
    const spillway = startInShell(program, script, FLOOD);
    const connection = await listener.accept();
    listener.close();
    await checkOtherStream(
      spillway,
      async () => new Uint8Array(await new Response(connection.readable).arrayBuffer()),
    );
    await spillway.readAll();
  },
);

testPrograms(
  "another user's pipe at standard output that takes nothing keeps nothing of standard error",
  async (program) => {
    const spillway = startAsNobody(program, FLOOD);
    await checkOtherStream(spillway, () => spillway.readAll());
  },
  NOBODYS_PROGRAMS,
);
