import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { constants } from "node:os";
import { NEEDS_STRACE } from "../end_to_end/installed.ts";
import { type Program, testExecutables, testPrograms } from "../end_to_end/programs.ts";
import {
  type Finished,
  inFolder,
  run,
  start,
  startInShell,
  until,
} from "../end_to_end/run.ts";
import { BUN_STARTER, STARTERS } from "./starters.ts";

const BOTH = { programs: STARTERS };

async function runShell(
  program: Program,
  script: string,
  redirected = 'exec "$@"',
): Promise<Finished & { readonly text: string }> {
  const starter = startInShell(program, redirected, ["sh", "-c", script]);
  const stdout = starter.readAll();
  await starter.end();
  const finished = { code: await starter.code, stderr: await starter.stderr };
  const bytes = await stdout;
  return { ...finished, stdout: bytes, text: new TextDecoder().decode(bytes) };
}

testPrograms("ends as the command ends, or with 128 and its signal", async (program) => {
  const { SIGKILL, SIGSEGV, SIGTERM } = constants.signals;
  for (const code of [0, 1, 7, 255]) {
    assertEquals((await run(program, ["sh", "-c", `exit ${code}`])).code, code);
  }
  for (const signal of [SIGKILL, SIGSEGV, SIGTERM]) {
    const { code } = await run(program, ["sh", "-c", `kill -${signal} $$`]);
    assertEquals(code, 128 + signal);
  }
}, BOTH);

testPrograms("says why a command cannot be started, as a shell does", async (program) => {
  await inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/plain`, "");
    await Deno.writeTextFile(`${folder}/headless`, "exit 0\n", { mode: 0o755 });
    await Deno.writeTextFile(`${folder}/orphaned`, "#!/no/such\n", { mode: 0o755 });
    const refused: readonly (readonly [string, number, string])[] = [
      ["no-such-program", 127, "it is in no folder of PATH"],
      [`${folder}/missing`, 127, "see that the path is right"],
      [`${folder}/orphaned`, 127, "it is there, but not what runs it"],
      [folder, 126, "Permission denied (EACCES)"],
      [`${folder}/plain`, 126, "chmod +x"],
      [`${folder}/plain/below`, 126, "Not a directory (ENOTDIR)"],
      [`${folder}/headless`, 126, "a script without a first line"],
    ];
    for (const [command, code, why] of refused) {
      const finished = await run(program, [command]);
      assertEquals(finished.code, code, command);
      assertStringIncludes(finished.stderr, `cannot start "${command}": `);
      assertStringIncludes(finished.stderr, why);
    }
  });
}, BOTH);

testPrograms("gives the command nothing but 0, 1 and 2", async (program) => {
  const { text } = await runShell(
    program,
    "cd /proc/self/fd; echo [0-9]*; readlink 0; cat",
    'exec "$@" 5</dev/null 77<>/dev/null </dev/null',
  );
  // The shell has opened one more, to read the folder's names.
  assertMatch(text, /^0 1 2( \d)?\n\/dev\/null\n$/);
}, BOTH);

/** System calls that are refused, and how many numbers are then tried in vain. */
const REFUSED = [
  { kernel: "closes no range of them", calls: ["close_range"], inVain: [0, 1] },
  {
    kernel: "does not even list them",
    calls: ["close_range", "getdents64"],
    inVain: [200, 1024],
  },
] as const;

for (const { kernel, calls, inVain: [least, most] } of REFUSED) {
  testExecutables(
    `gives it no other descriptor where the kernel ${kernel}`,
    (program) =>
      inFolder(async (folder) => {
        const inject = calls.map((call) => `-e inject=${call}:error=EPERM`).join(" ");
        const trace = `${folder}/trace`;
        const { text } = await runShell(
          { ...program, command: [...program.command, "--"] },
          "for n in 3 77 999; do [ ! -e /proc/self/fd/$n ] || echo $n; done; echo end",
          `ulimit -n 1024; exec strace -f -qq -o '${trace}' -e trace=fcntl,${calls} ` +
            `${inject} "$@" 77<>/dev/null 999<>/dev/null`,
        );
        assertEquals(text, "end\n");
        const lines = (await Deno.readTextFile(trace)).split("\n");
        const inVain = lines.filter((line) => /F_SETFD.* EBADF /.test(line)).length;
        assert(
          least <= inVain && inVain <= most,
          `${inVain} numbers without a descriptor`,
        );
      }),
    NEEDS_STRACE,
  );
}

testPrograms("hands on standard input as it is", async (program) => {
  const { code, stdout } = await run(program, ["cat"], "what was written\n");
  assertEquals(new TextDecoder().decode(stdout), "what was written\n");
  assertEquals(code, 0);
}, BOTH);

/** The bits of signals in a line of proc_pid_status(5). */
function signals(status: string, line: string): number[] {
  const bits = BigInt(`0x${new RegExp(`${line}:\\s*(\\w+)`).exec(status)![1]}`);
  return Array.from({ length: 64 }, (_, index) => index + 1)
    .filter((signal) => (bits >> BigInt(signal - 1) & 1n) === 1n);
}

testPrograms("blocks and ignores no signal for the command", async (program) => {
  const { stdout } = await run(program, ["cat", "/proc/self/status"]);
  const status = new TextDecoder().decode(stdout);
  assertEquals([signals(status, "SigBlk"), signals(status, "SigIgn")], [[], []]);
}, BOTH);

testPrograms("leaves ignored what was ignored at the start", async (program) => {
  const { text } = await runShell(
    program,
    "exec cat /proc/self/status",
    `trap '' USR2 TTIN; exec "$@"`,
  );
  const { SIGTTIN, SIGUSR2 } = constants.signals;
  assertEquals(signals(text, "SigIgn"), [SIGUSR2, SIGTTIN].sort((a, b) => a - b));
}, BOTH);

testPrograms("gives the command its own limit of open files", async (program) => {
  // A shell stays in between, since Bun's own limit can only be known from its parent.
  const { text } = await runShell(
    program,
    "ulimit -Sn; ulimit -Hn",
    'ulimit -Sn 500; ulimit -Hn 3000; "$@"; exit $?',
  );
  assertEquals(text, "500\n3000\n");
}, BOTH);

testPrograms("hands on the environment to the byte", async (program) => {
  const { stdout } = await run(program, [
    ...["sh", "-c", "exec cat /proc/self/environ"],
  ]);
  assert(new TextDecoder().decode(stdout).includes("PATH="));
  const odd = startInShell(
    program,
    `ODD=$'\\xff\\xfe=\\n' EMPTY= exec "$@"`,
    ["sh", "-c", 'printf "%s|%s|" "$ODD" "${EMPTY-unset}"'],
  );
  const output = odd.readAll();
  assertEquals(await odd.code, 0);
  assertEquals([...await output], [0xFF, 0xFE, 0x3D, 0x0A, 0x7C, 0x7C]);
  await odd.end().catch(() => {});
}, BOTH);

testPrograms("hands on arguments as they are", async (program) => {
  const words = ["", "a b", "--", "ü名", "-x", "$HOME", "*", ""];
  const { stdout } = await run(program, ["printf", "[%s]", ...words]);
  assertEquals(
    new TextDecoder().decode(stdout),
    words.map((word) => `[${word}]`).join(""),
  );
}, BOTH);

testPrograms("hands on arguments that are not UTF-8", async (program) => {
  const starter = startInShell(program, `exec "$@" $'\\xff\\xfe'`, ["printf", "%s"]);
  const output = starter.readAll();
  assertEquals(await starter.code, 0);
  assertEquals([...await output], [0xFF, 0xFE]);
  await starter.end().catch(() => {});
}, { programs: [BUN_STARTER] });

testPrograms("leaves no zombie of an orphan", async (program) => {
  const script = `
    i=0; while [ $i -lt 50 ]; do (sh -c 'echo $$ >&2' </dev/null &); i=$((i+1)); done
    echo forked; read line`;
  const starter = start(program, ["sh", "-c", script]);
  const output = starter.readAll();
  const pids = () => starter.stderrSoFar.split("\n").filter((line) => line !== "");
  await until(
    "the orphans to have ended",
    () => pids().length === 50 && pids().every((pid) => !isThere(`/proc/${pid}`)),
  );
  await starter.write("\n");
  assertEquals(await starter.code, 0);
  assertEquals(new TextDecoder().decode(await output), "forked\n");
  await starter.end().catch(() => {});
}, BOTH);

function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

testPrograms("goes on while the command is stopped", async (program) => {
  const starter = start(program, ["sh", "-c", "echo $$ >&2; kill -STOP $$; exit 3"]);
  const output = starter.readAll();
  const child = () => Number(starter.stderrSoFar);
  await until(
    "the command to have stopped",
    () =>
      child() > 0 &&
      /^State:\s*T/m.test(Deno.readTextFileSync(`/proc/${child()}/status`)),
  );
  assert(!/^State:\s*T/m.test(Deno.readTextFileSync(`/proc/${starter.pid}/status`)));
  await starter.kill("SIGCONT");
  assertEquals(await starter.code, 3);
  await output;
  await starter.end().catch(() => {});
}, BOTH);
