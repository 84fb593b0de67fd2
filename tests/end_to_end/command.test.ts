import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { constants } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import { NEEDS_STRACE } from "./installed.ts";
import {
  checkConservation,
  checkNumberedLines,
  MARKER,
  numberedLines,
} from "./numbered_lines.ts";
import { type Program, testExecutables, testPrograms } from "./programs.ts";
import { inFolder, run, start, startInShell, summaryIn, until } from "./run.ts";

const decoder = new TextDecoder();

/**
 * The condition of a shell's loop that goes on until standard input ends, and handles
 * signals meanwhile. (A line could get lost: bash may give up just when it has read it.)
 */
const UNTIL_END = "while read -t 0.01 line || [ $? -gt 128 ]";

/** Arguments that run a shell script as the command. */
function shell(script: string, ...flags: readonly string[]): string[] {
  return [...flags, "--", "bash", "-c", script];
}

async function runScript(program: Program, script: string, ...flags: readonly string[]) {
  const { code, stdout, stderr } = await run(program, shell(script, ...flags));
  return { code, stdout: decoder.decode(stdout), stderr };
}

testPrograms("both streams of a command come out as if it ran alone", async (program) => {
  const script = "echo out; echo err >&2; printf end; printf '\\377\\0' >&2; exit 7";
  const spillway = start(program, shell(script));
  const stdout = spillway.readAll();
  assertEquals(await spillway.code, 7);
  assertEquals(decoder.decode(await stdout), "out\nend");
  assertEquals(await spillway.stderr, "err\n\uFFFD\0");
  await spillway.end().catch(() => {});
});

testExecutables("a million lines of a command come out to the byte", async (program) => {
  const cmp = startInShell(
    program,
    'set -o pipefail; "$@" | cmp - <(seq 1000000)',
    ["--report", "none", "--", "seq", "1000000"],
  );
  const output = cmp.readAll();
  assertEquals([await cmp.code, await cmp.stderr], [0, ""]);
  assertEquals(decoder.decode(await output), "");
  await cmp.end().catch(() => {});
});

testExecutables("both streams at once come out to the byte", async (program) => {
  const { code, stdout, stderr } = await runScript(
    program,
    "seq 1 300000 & seq 300000 -1 1 >&2; wait",
    ...["--report", "none"],
  );
  const numbers = Array.from({ length: 300_000 }, (_, index) => `${index + 1}`);
  assertEquals(code, 0);
  assert(stdout === `${numbers.join("\n")}\n`);
  assert(stderr === `${numbers.toReversed().join("\n")}\n`);
});

testExecutables("the last words of a command that crashes arrive", async (program) => {
  const { code, stdout, stderr } = await runScript(
    program,
    "seq 1000; echo 'fatal: no' >&2; printf 'last words'; kill -SEGV $$",
  );
  assertEquals(code, 128 + constants.signals.SIGSEGV);
  assertEquals(stdout.split("\n").slice(-2), ["1000", "last words"]);
  assertEquals(stderr, "fatal: no\n");
});

testPrograms("with --output both streams go there in their order", async (program) => {
  await inFolder(async (folder) => {
    const log = `${folder}/log`;
    const count = 2000;
    const script = `for i in {1..${count}}; do echo out $i; echo err $i >&2; done`;
    const { code, stdout, stderr } = await runScript(program, script, "--output", log);
    assertEquals([code, stdout], [0, ""]);
    assertMatch(stderr, /^spillway: 4000 lines .* in .*\n$/);
    const expected = Array.from(
      { length: count },
      (_, index) => `out ${index + 1}\nerr ${index + 1}\n`,
    );
    assertEquals(await Deno.readTextFile(log), expected.join(""));
  });
});

testExecutables("formats name the streams of a command", async (program) => {
  const { code, stdout, stderr } = await runScript(
    program,
    "echo out; echo err >&2",
    ...["--output", "-", "--format", "json-file", "--report", "none"],
  );
  assertEquals([code, stderr], [0, ""]);
  const records = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(
    records.map(({ log, stream }) => `${stream}: ${log}`).sort(),
    ["stderr: err\n", "stdout: out\n"],
  );
});

testPrograms("the command's exit status comes before Spillway's own", async (program) => {
  // Nobody reads the output, and it is full before the command ends.
  const flood = `${UNTIL_END}; do seq 10000; done; exit `;
  const flags = ["--capacity", "64KiB", "--drain-timeout", "100ms"];
  const runs = [
    ["exit 0", [], 0],
    [`${flood}0`, [], 4],
    [`${flood}5`, [], 5],
    [`${flood}5`, ["--fail-on-loss"], 5],
  ] as const;
  await Promise.all(runs.map(async ([script, more, expected]) => {
    const spillway = start(program, shell(script, ...flags, ...more));
    if (script.startsWith(flood)) {
      await until("a stall", () => spillway.stderrSoFar.includes("taken nothing for"));
      await spillway.end();
    }
    assertEquals(await spillway.code, expected, script);
    await spillway.readAll();
    await spillway.end().catch(() => {});
  }));
});

testExecutables(
  "exits with 3 where lines were lost and it asks for that",
  async (program) => {
    const flags = ["--capacity", "64KiB", "--fail-on-loss", "--report", "json"];
    const spillway = start(program, shell("seq 200000; read line", ...flags));
    await until("a loss", () => spillway.stderrSoFar.includes('"event":"loss"'));
    const output = spillway.readAll();
    await spillway.write("\n");
    assertEquals(await spillway.code, 3);
    const summary = summaryIn(await spillway.stderr);
    checkConservation(summary);
    assert(Number(summary.lines_overwritten) > 0);
    assert(decoder.decode(await output).split("\n").some((line) => MARKER.test(line)));
    await spillway.end().catch(() => {});
  },
);

testPrograms("says why a command is not started", async (program) => {
  for (
    const [command, code, why] of [
      ["no-such-program", 127, "No such file or directory (ENOENT)"],
      ["/etc/passwd", 126, "Permission denied (EACCES)"],
    ] as const
  ) {
    const finished = await run(program, ["--", command]);
    assertEquals([finished.code, finished.stdout.length], [code, 0]);
    assertStringIncludes(finished.stderr, `spillway: cannot start "${command}": ${why}`);
  }
});

testPrograms("exits with 125 where it cannot do its own part", async (program) => {
  await inFolder(async (folder) => {
    const witness = `${folder}/started`;
    const flags = ["--output", `${folder}/no/such/folder/log`];
    const finished = await run(program, [...flags, "--", "touch", witness]);
    assertEquals(finished.code, 125);
    assertStringIncludes(finished.stderr, "for appending: No such file or directory");
    // Before it has begun to listen to anything.
    const notify = { NOTIFY_SOCKET: `${folder}/nobody` };
    const early = start(program, ["--", "touch", witness], notify);
    assertEquals([(await early.readAll()).length, await early.code], [0, 125]);
    assertStringIncludes(await early.stderr, "unset NOTIFY_SOCKET");
    await early.end().catch(() => {});
    assertEquals(await Deno.stat(witness).catch(() => "not started"), "not started");
  });
});

testExecutables("refuses a command beside other inputs", async (program) => {
  for (
    const [args, message] of [
      [["--fifo", "/run/app", "--", "app"], "--fifo and a command"],
      [["--containerd", "--output", "/x", "--", "app"], "--containerd and a command"],
      [["--create", "--", "app"], "--create and a command"],
      [["--"], "a command follows --"],
    ] as const
  ) {
    const { code, stderr } = await run(program, args);
    assertEquals(code, 2, stderr);
    assertStringIncludes(stderr, message);
  }
});

/** A signal that the command is to hear of, and does nothing else by itself. */
const PASSED = ["HUP", "INT", "QUIT", "ABRT", "USR1", "USR2", "ALRM", "TERM", "URG"]
  .concat(["CONT", "TSTP", "XCPU", "VTALRM", "PROF", "WINCH", "IO"]);

testPrograms("passes every signal on to the command, once", async (program) => {
  const names = PASSED.filter((name) =>
    // Under `deno run` this one opens a debugger as well.
    !(program.name === "source" && name === "USR1")
  );
  const script = `for s in ${names.join(" ")}; do trap "echo $s" $s; done
    echo ready; ${UNTIL_END}; do :; done; echo end; exit 9`;
  const spillway = start(program, shell(script));
  let text = "";
  const reading = (async () => {
    for await (const chunk of spillway.stdout) text += decoder.decode(chunk);
  })();
  await until("the command", () => text === "ready\n");
  let expected = text;
  for (const name of names) {
    await send(spillway.pid, name);
    expected += `${name}\n`;
    await until(() => `${name} to arrive: ${text}`, () => text.length >= expected.length);
    assertEquals(text, expected);
  }
  await spillway.end();
  assertEquals(await spillway.code, 9);
  await reading;
  assertEquals(text, `${expected}end\n`);
  assertEquals(await spillway.stderr, "");
});

async function send(pid: number, signal: string): Promise<void> {
  const kill = new Deno.Command("kill", { args: ["-s", signal, `${pid}`] });
  assert((await kill.output()).success, signal);
}

testPrograms(
  "SIGTERM during the start keeps the command from being started",
  (program) =>
    inFolder(async (folder) => {
      // The address of --metrics is bound when signals are heard and no thread runs yet.
      const strace = "exec strace -D -f -qq -o /dev/null -e trace=bind " +
        '-e inject=bind:signal=SIGTERM:when=1 "$@"';
      const flags = ["--metrics", "0", "--output", `${folder}/log`];
      const script = `echo ran >'${folder}/ran'; exec sleep 1000`;
      const spillway = startInShell(program, strace, shell(script, ...flags));
      assertEquals(await spillway.code, 128 + constants.signals.SIGTERM);
      const names = Array.from(Deno.readDirSync(folder), ({ name }) => name);
      assertEquals(names, ["log"]);
      assertMatch(await spillway.stderr, /^spillway: 0 lines /m);
      await Promise.all([spillway.readAll(), spillway.end().catch(() => {})]);
    }),
  NEEDS_STRACE,
);

testPrograms("waits for a command that does not mind SIGTERM", async (program) => {
  const spillway = start(program, shell("trap '' TERM INT; echo ready; cat; exit 4"));
  let text = "";
  const reading = (async () => {
    for await (const chunk of spillway.stdout) text += decoder.decode(chunk);
  })();
  await until("the command", () => text === "ready\n");
  for (const signal of ["TERM", "INT", "TERM", "TERM"]) await send(spillway.pid, signal);
  await spillway.write("still there\n");
  await until("what it writes", () => text === "ready\nstill there\n");
  await spillway.end();
  assertEquals(await spillway.code, 4);
  await reading;
});

testPrograms("SIGHUP reaches the command and reopens the file", async (program) => {
  await inFolder(async (folder) => {
    const log = `${folder}/log`;
    const script = `trap 'echo hup' HUP; echo ready; ${UNTIL_END}; do :; done`;
    const spillway = start(program, shell(script, "--output", log));
    const text = (path: string) => Deno.readTextFile(path).catch(() => "");
    await until("the command", async () => await text(log) === "ready\n");
    await Deno.rename(log, `${log}.1`);
    await send(spillway.pid, "HUP");
    await until("the new file", async () => await text(log) === "hup\n");
    await spillway.end();
    assertEquals([await spillway.code, await text(`${log}.1`)], [0, "ready\n"]);
    await spillway.readAll();
  });
});

testPrograms("reads on while processes that are left keep the pipes", async (program) => {
  const script = "(read line; echo late; echo later >&2) <&0 & echo early; exit 6";
  const spillway = start(program, shell(script));
  let text = "";
  const reading = (async () => {
    for await (const chunk of spillway.stdout) text += decoder.decode(chunk);
  })();
  await until("the end of the command", () => text === "early\n");
  await spillway.write("\n");
  assertEquals(await spillway.code, 6);
  await reading;
  assertEquals([text, await spillway.stderr], ["early\nlate\n", "later\n"]);
  await spillway.end().catch(() => {});
});

testExecutables("does so no longer than the drain timeout", async (program) => {
  const script = "sleep 1000 & echo $! early; read line; exit 6";
  const spillway = start(program, shell(script, "--drain-timeout", "200ms"));
  const reader = spillway.stdout.getReader();
  const [sleep, rest] = decoder.decode((await reader.read()).value).split(" ");
  assertEquals(rest, "early\n");
  await spillway.write("\n");
  assertEquals(await spillway.code, 6);
  await send(Number(sleep), "KILL");
  await spillway.end().catch(() => {});
});

testExecutables(
  "a command always has a standard input, if only an empty one",
  async (program) => {
    const args = ["--", "sh", "-c", "cat && readlink /proc/self/fd/0"];
    const spillway = startInShell(program, 'exec "$@" <&-', args);
    const output = spillway.readAll();
    assertEquals([await spillway.code, await spillway.stderr], [0, ""]);
    assertEquals(decoder.decode(await output), "/dev/null\n");
    await spillway.end();
  },
);

testExecutables(
  "a command that closes its streams is still waited for",
  async (program) => {
    const script = "echo last; exec >&- 2>&-; read line; exit 8";
    const spillway = start(program, shell(script));
    const output = spillway.readAll();
    // By then every thread but the first has ended, and no timer is left.
    await pause(2000);
    assert(!spillway.ended);
    await spillway.write("\n");
    assertEquals(await spillway.code, 8);
    assertEquals(decoder.decode(await output), "last\n");
    await spillway.end().catch(() => {});
  },
);

testExecutables("a frozen standard output never blocks the command", async (program) => {
  // What it says on standard error comes through while nobody reads the other stream.
  const script = "yes 0123456789abcdef | head -c 200000000; echo written >&2; read line";
  const flags = ["--capacity", "1MiB", "--drain-timeout", "0ms"];
  const spillway = start(program, shell(script, ...flags));
  await until("all to be written", () => spillway.stderrSoFar.includes("written\n"));
  await spillway.write("\n");
  assertEquals(await spillway.code, 4);
  await spillway.readAll();
  await spillway.end().catch(() => {});
});

testExecutables("reports stay whole lines among the command's own", async (program) => {
  const line = "e".repeat(700);
  const script =
    `seq 300000; for i in {1..3000}; do printf %s ${line}; echo ${line} >/dev/null; printf '%s\\n' ${line}; done >&2; read line`;
  const flags = ["--capacity", "64KiB", "--report-interval", "100ms"];
  const spillway = start(program, shell(script, ...flags));
  await until(
    "the loss to be reported",
    () => spillway.stderrSoFar.includes("no more lines are lost"),
  );
  const output = spillway.readAll();
  await spillway.write("\n");
  assertEquals(await spillway.code, 0);
  await output;
  await spillway.end().catch(() => {});
  const lines = (await spillway.stderr).split("\n");
  assertEquals(lines.pop(), "");
  for (const each of lines) {
    assert(each === line + line || /^spillway: \S/.test(each), each);
  }
  const lost = lines.reduce((sum, each) => sum + Number(MARKER.exec(each)?.[1] ?? 0), 0);
  assertEquals(lines.filter((each) => each === line + line).length + lost, 3000);
});

testExecutables("ends as the command does where nobody reads on", async (program) => {
  const pipeline = startInShell(
    program,
    '"$@" | head -n 1; echo "${PIPESTATUS[0]}"',
    ["--", "yes"],
  );
  const output = pipeline.readAll();
  assertEquals(await pipeline.code, 0);
  assertStringIncludes(await pipeline.stderr, "standard output was closed by its reader");
  const sigpipe = 128 + constants.signals.SIGPIPE;
  assertEquals(decoder.decode(await output), `y\n${sigpipe}\n`);
  await pipeline.end().catch(() => {});
});

testExecutables("metrics and health show the state of the command", async (program) => {
  const script = "sleep 1000 & echo $!; read line; exit 3";
  const spillway = start(program, shell(script, "--metrics", "0"));
  let sleep = "";
  const reading = (async () => {
    for await (const chunk of spillway.stdout) sleep += decoder.decode(chunk);
  })();
  await until("the command", () => sleep.endsWith("\n"));
  const url = /http:\S+/.exec(spillway.stderrSoFar)![0];
  const get = async (path: string) => await (await fetch(new URL(path, url))).text();
  const metrics = await get("/metrics");
  assertStringIncludes(metrics, '\nspillway_command_info{command="bash"} 1\n');
  assertMatch(metrics, /^spillway_input_lines_total\{input="stdout",.*\} 1$/m);
  assertMatch(metrics, /^spillway_input_lines_total\{input="stderr",.*\} 0$/m);
  assertEquals(await get("/healthz"), "ok\n");
  await spillway.write("\n");
  await until("the end", async () => await get("/healthz") !== "ok\n");
  assertEquals(await get("/healthz"), "bash has ended with status 3\n");
  await send(Number(sleep), "KILL");
  assertEquals(await spillway.code, 3);
  await reading;
  await spillway.end().catch(() => {});
});

/** Orphans in a row, each of which ends after its parent, and what is left of them. */
const ORPHANS = `
open() { ls /proc/$PPID/fd | wc -l; }
before=$(open)
for i in {1..200}; do (sh -c 'read end <&3' 3</dev/null &); done
zombies() { cat /proc/[0-9]*/stat 2>/dev/null | awk '$4 == '$PPID' && $3 == "Z"' | wc -l; }
while [ "$(zombies)" != 0 ]; do sleep 0.01; done
echo "$PPID $(($(open) - before))"
`;

testExecutables(
  "as process 1 it leaves nothing of 200 orphans in a row",
  async (program) => {
    const spillway = startInShell(
      program,
      'exec unshare --pid --fork --mount-proc "$@"',
      shell(ORPHANS),
    );
    const output = spillway.readAll();
    assertEquals([await spillway.code, await spillway.stderr], [0, ""]);
    const [pid, moreOpen] = decoder.decode(await output).split(" ").map(Number);
    assertEquals(pid, 1);
    // A runtime may still open and close what it needs for its start.
    assert(moreOpen! < 20, `${moreOpen} descriptors are left open`);
    await spillway.end().catch(() => {});
  },
  { ignore: Deno.uid() !== 0 },
);

testPrograms(
  "as process 1 it ends as the command does, on its signals",
  async (program) => {
    const spillway = startInShell(
      program,
      'exec unshare --pid --fork --mount-proc --kill-child "$@"',
      shell("trap 'echo bye; exit 5' TERM; echo ready; while :; do sleep 0.01; done"),
    );
    let text = "";
    const reading = (async () => {
      for await (const chunk of spillway.stdout) text += decoder.decode(chunk);
    })();
    await until("the command", () => text === "ready\n");
    // unshare(1) has forked: process 1 of the namespace is its child.
    const children = `/proc/${spillway.pid}/task/${spillway.pid}/children`;
    await send(Number(await Deno.readTextFile(children)), "TERM");
    assertEquals(await spillway.code, 5);
    await reading;
    assertEquals(text, "ready\nbye\n");
    await spillway.end().catch(() => {});
  },
  { ignore: Deno.uid() !== 0 },
);

testPrograms("what the command finds is what Spillway found", async (program) => {
  const script = `pwd; cd /proc/self/fd; echo [0-9]*; ulimit -Sn; ulimit -Hn
    grep -E '^Sig(Blk|Ign)' /proc/self/status; echo "$ODD"; umask`;
  const spillway = startInShell(
    program,
    `ulimit -Sn 300; ulimit -Hn 3000; trap '' USR2; umask 027; cd /usr
      ODD=$'\\xff' "$@" 77</dev/null; exit $?`,
    shell(script),
  );
  const output = spillway.readAll();
  assertEquals(await spillway.code, 0);
  const lines = new TextDecoder("latin1").decode(await output).split("\n");
  assertEquals(lines[0], "/usr");
  assertMatch(lines[1]!, /^0 1 2( \d)?$/);
  assertEquals(lines.slice(2, 4), ["300", "3000"]);
  assertMatch(lines[4]!, /^SigBlk:\t0{16}$/);
  assertMatch(lines[5]!, /^SigIgn:\t0{13}800$/);
  assertEquals(lines.slice(6), ["\xff", "0027", ""]);
  await spillway.end().catch(() => {});
});

testExecutables("takes numbered lines from a command with losses", async (program) => {
  await inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/lines`, numberedLines(0, 100_000));
    const flags = ["--capacity", "64KiB", "--report", "json"];
    const spillway = start(program, [...flags, "--", "cat", `${folder}/lines`]);
    const stdout = await spillway.readAll();
    assertEquals(await spillway.code, 0);
    const summary = summaryIn(await spillway.stderr);
    checkConservation(summary);
    const seen = checkNumberedLines(stdout);
    assertEquals(seen.lines + seen.lostLines, 100_000);
    assertEquals(summary.inputs?.map(({ input }) => input), ["stdout", "stderr"]);
    await spillway.end().catch(() => {});
  });
});
