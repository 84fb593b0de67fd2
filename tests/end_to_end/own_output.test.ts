import { assert, assertEquals, assertMatch } from "@std/assert";
import { testExecutables } from "./programs.ts";
import { inFolder, startInShell } from "./run.ts";

/** What would be read again as soon as it is written: arguments and redirections. */
const ENDLESS: readonly (readonly [string, readonly string[], string])[] = [
  ["a FIFO by the same name", ["--fifo", "fifo", "--output", "fifo:fifo"], ""],
  ["a FIFO by another path", ["--fifo", "fifo", "--output", "fifo:./fifo"], ""],
  ["a FIFO by a link", ["--fifo", "link", "--output", "fifo:fifo"], ""],
  [
    "a FIFO that is made only now",
    ["--create", "--fifo", "new", "--output", "fifo:./new"],
    "",
  ],
  ["a FIFO as standard output", ["--fifo", "fifo"], "1<>fifo"],
  ["a FIFO as standard input", ["--output", "fifo:fifo"], "0<>fifo"],
  ["a file", [], "<file >>file"],
  ["a file by its name", ["--output", "file"], "<file"],
];

for (const [what, args, redirections] of ENDLESS) {
  testExecutables(
    `does not read what it writes: ${what}`,
    (program) =>
      inFolder(async (folder) => {
        const script = `cd ${folder}; mkfifo fifo; ln -s fifo link; echo one >file
        exec timeout 100 "$@" ${redirections}`;
        const spillway = startInShell(program, script, args);
        await spillway.readAll();
        assertMatch(
          await spillway.stderr,
          /spillway: .*would be read again for ever; write/,
        );
        const isUsage = args.includes("fifo:fifo") && args.includes("fifo");
        assertEquals(await spillway.code, isUsage ? 2 : 1);
        assertEquals(await Deno.readTextFile(`${folder}/file`), "one\n");
        await spillway.end().catch(() => {});
      }),
  );
}

testExecutables("reads and writes one device", async (program) => {
  const spillway = startInShell(program, 'exec "$@" </dev/null >/dev/null', []);
  assertEquals([await spillway.code, (await spillway.readAll()).length], [0, 0]);
  assert(!/read again/.test(await spillway.stderr));
  await spillway.end().catch(() => {});
});
