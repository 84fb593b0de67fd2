import { assert, assertEquals } from "@std/assert";
import { type Program, PROGRAMS, testPrograms } from "../end_to_end/programs.ts";

const THREADS = new URL("thread_program.ts", import.meta.url).pathname;

/** In each runtime: the executable made with Bun is also Bun itself, when it is asked. */
function testRuntimes(
  name: string,
  test: (run: (argument: string) => Promise<string[]>) => Promise<void>,
): void {
  const programs = PROGRAMS.filter(({ name }) => name !== "dist/spillway");
  testPrograms(name, (program) => test((argument) => run(program, argument)), {
    programs,
  });
}

/** The lines that the program of this test prints. */
async function run({ name, command }: Program, argument: string): Promise<string[]> {
  const [runtime, ...args] = name === "source"
    ? [Deno.execPath(), "run", "--quiet", "--allow-read"]
    : [...command, "run"];
  const { success, stdout } = await new Deno.Command(runtime!, {
    args: [...args, THREADS, argument],
    env: { BUN_BE_BUN: "1" },
    stderr: "null",
    signal: AbortSignal.timeout(120_000),
  }).output();
  assertEquals(success, true);
  return new TextDecoder().decode(stdout).trim().split("\n");
}

testRuntimes(
  "a thread shares what it is given, and is ended when it has finished",
  async (run) => {
    assertEquals(await run("finish"), ["started, 1", "finished, 1"]);
  },
);

for (const how of ["throw", "reject"]) {
  testRuntimes(`of a thread that dies is heard, once: ${how}`, async (run) => {
    const [started, died, ...others] = await run(how);
    assertEquals(started, "started, 1");
    assert(died?.startsWith("died: "), died);
    // Bun's message shows the line of the code.
    assertEquals(others.filter((line) => line.startsWith("died: ")), []);
  });
}
