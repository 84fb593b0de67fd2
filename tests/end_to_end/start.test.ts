import { assertEquals } from "@std/assert";
import { needing } from "./installed.ts";
import { testPrograms } from "./programs.ts";
import { inFolder, startInShell } from "./run.ts";

const { name, ignore } = needing(
  "makes the pipe large before it starts a thread",
  "strace",
  "strace",
);

testPrograms(name, (program) =>
  inFolder(async (folder) => {
    const trace = `${folder}/trace`;
    const strace = 'exec strace -D -f -qq -e trace=fcntl -o "$TRACE" "$@"';
    const spillway = startInShell(program, strace, [], { TRACE: trace });
    await spillway.end();
    await Promise.all([spillway.readAll(), spillway.code]);
    // The number of the main thread is that of the process.
    const calls = (await Deno.readTextFile(trace)).split("\n");
    const first = calls.find((call) => call.includes("fcntl(0, F_SETPIPE_SZ, 1048576)"));
    assertEquals(first?.split(" ")[0], `${spillway.pid}`);
  }), { ignore });
