import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { needing } from "./installed.ts";
import { testExecutables, testPrograms } from "./programs.ts";
import { inFolder, run, Running, start, startInShell, summaryIn } from "./run.ts";

testPrograms("shows help and version on standard output", async (program) => {
  const help = await run(program, ["--help"]);
  assertEquals([help.code, help.stderr], [0, ""]);
  const text = new TextDecoder().decode(help.stdout);
  assert(
    text.split("\n").every((line) => line.length <= 80),
    "help is wider than 80 columns",
  );
  for (const flag of ["--fifo", "--capacity", "--when-full", "--drain-timeout"]) {
    assertStringIncludes(text, flag);
  }
  const short = new TextDecoder().decode((await run(program, ["-h"])).stdout);
  assert(short.split("\n").length <= 24 && short.includes("Examples:"), short);
  const version = await run(program, ["-V"]);
  assert(
    /^spillway \d+\.\d+\.\d+ \((Deno|Bun) [\d.]+\)\n$/.test(
      new TextDecoder().decode(version.stdout),
    ),
  );
});

testPrograms("refuses a wrong command line before it reads anything", async (program) => {
  const cases = [
    ["--capcity=1m", "unknown flag --capcity"],
    ["--capacity=1x", '--capacity: "1x" is not a size'],
    [
      "--when-full=panic",
      '--when-full: "panic" is not one of overwrite, drop-newest, block',
    ],
    ["--create", "--create goes with --fifo"],
  ];
  for (const [flag, message] of cases) {
    const { code, stdout, stderr } = await run(program, [flag!], "input\n");
    assertEquals([code, stdout.length], [2, 0], flag);
    assertStringIncludes(stderr, `spillway: ${message}`);
  }
});

testPrograms(
  "takes flags from the environment, and the command line wins",
  async (program) => {
    const env = {
      SPILLWAY_REPORT: "json",
      SPILLWAY_MAX_LINE: "64",
      SPILLWAY_OUTPUT: "/no",
    };
    const spillway = start(program, ["--output", "-"], env);
    const output = spillway.readAll();
    await spillway.write("line\n");
    await spillway.end();
    assertEquals(await spillway.code, 0);
    assertEquals(new TextDecoder().decode(await output), "line\n");
    assertEquals(summaryIn(await spillway.stderr).lines_out, 1);
  },
);

testPrograms("refuses what the environment gets wrong", async (program) => {
  const cases = [
    [
      "SPILLWAY_CAPCITY",
      "1m",
      "unknown variable SPILLWAY_CAPCITY in the environment; did",
    ],
    ["SPILLWAY_CAPACITY", "1x", '--capacity: "1x" is not a size'],
    ["SPILLWAY_CAPACITY", "1x", "(--capacity is from SPILLWAY_CAPACITY)"],
  ];
  for (const [name, value, message] of cases) {
    const spillway = start(program, [], { [name!]: value! });
    assertEquals(await spillway.code, 2);
    assertStringIncludes(await spillway.stderr, message!);
    assertEquals((await spillway.readAll()).length, 0);
  }
});

testPrograms("shows the short help on a terminal without input", async (program) => {
  const spillway = startInShell(program, 'script -qec "$COMMAND" /dev/null', [], {
    COMMAND: `${program.command.join(" ")}; echo "status $?"`,
    // Neither of them sets a flag.
    SPILLWAY_DRAIN_TIMEOUT: "",
    SPILLWAY_SERVICE_PORT: "80",
  });
  const output = new TextDecoder().decode(await spillway.readAll());
  assertStringIncludes(output, "Usage: PROGRAM | spillway");
  assertStringIncludes(output, "status 2");
});

testPrograms("takes nothing from the folder it is started in", async (program) => {
  await inFolder(async (folder) => {
    const trap = "console.log('trapped'); process.exit(99);";
    await Deno.writeTextFile(`${folder}/.env`, "BUN_OPTIONS=--preload=./trap.js\n");
    await Deno.writeTextFile(`${folder}/trap.js`, trap);
    await Deno.writeTextFile(`${folder}/bunfig.toml`, 'preload = ["./trap.js"]\n');
    await Deno.writeTextFile(`${folder}/package.json`, '{"type":"commonjs"}');
    await Deno.writeTextFile(`${folder}/tsconfig.json`, "{broken");
    await Deno.writeTextFile(`${folder}/deno.json`, "{broken");
    const spillway = startInShell(program, 'cd "$FOLDER"; echo line | "$@"', [], {
      FOLDER: folder,
    });
    assertEquals(new TextDecoder().decode(await spillway.readAll()), "line\n");
    assertEquals(await spillway.code, 0);
  });
});

testPrograms("needs no environment at all", async (program) => {
  const spillway = new Running(["env", "-i", ...program.command]);
  await spillway.write("line\n");
  await spillway.end();
  assertEquals(new TextDecoder().decode(await spillway.readAll()), "line\n");
  assertEquals(await spillway.code, 0);
});

testExecutables(
  "options for a runtime in the environment make it run no other code",
  (program) =>
    inFolder(async (folder) => {
      const trap = `${folder}/trap.mjs`;
      await Deno.writeTextFile(trap, "console.log('trapped'); process.exit(99);");
      const variables = [
        ["BUN_OPTIONS", `--preload=${trap}`],
        ["BUN_OPTIONS", `--preload=${trap} --`],
        ["BUN_OPTIONS", `run ${trap}`],
        ["NODE_OPTIONS", `--import=${trap}`],
        ["NODE_OPTIONS", `--require=${trap}`],
      ] as const;
      for (const [name, value] of variables) {
        const spillway = start(program, ["--report", "none"], { [name]: value });
        await spillway.write("line\n");
        await spillway.end();
        const output = new TextDecoder().decode(await spillway.readAll());
        assertEquals([output, await spillway.stderr], ["line\n", ""], name);
        assertEquals(await spillway.code, 0);
      }
    }),
);

const PLANTED = `#include <stdio.h>
__attribute__((constructor)) static void run(void) { puts("planted"); fflush(stdout); }
`;

/** Makes a library that prints `planted`, under all names that the C library has. */
async function plantLibraries(folder: string): Promise<void> {
  await Deno.writeTextFile(`${folder}/planted.c`, PLANTED);
  const { success } = await new Deno.Command("gcc", {
    args: ["-shared", "-fPIC", "-o", `${folder}/libc.so`, `${folder}/planted.c`],
  }).output();
  assert(success, "gcc");
  for (const name of ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"]) {
    await Deno.copyFile(`${folder}/libc.so`, `${folder}/${name}`);
  }
}

const planted = needing("runs no C library of the folder it is started in", "gcc", "gcc");

testPrograms(
  planted.name,
  (program) =>
    inFolder(async (folder) => {
      await plantLibraries(folder);
      const script = 'cd "$FOLDER"; exec "$@"';
      const env = { FOLDER: folder };
      const spillway = startInShell(program, script, ["--report", "none"], env);
      await spillway.write("line\n");
      await spillway.end();
      assertEquals(new TextDecoder().decode(await spillway.readAll()), "line\n");
      assertEquals(await spillway.code, 0);
      if (!program.name.includes("bun")) return;
      // Bun cannot call the C library then, and must not look for another.
      const refused = startInShell(program, script, [], { ...env, BUN_JSC_useJIT: "0" });
      assertEquals(new TextDecoder().decode(await refused.readAll()), "");
      assertEquals(await refused.code, 1);
      assertMatch(
        await refused.stderr,
        /^spillway: cannot make system calls: .*JIT.*MemoryDenyWriteExecute=.*\n$/,
      );
      await refused.end().catch(() => {});
    }),
  { ignore: planted.ignore },
);
