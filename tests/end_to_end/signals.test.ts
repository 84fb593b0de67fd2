import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { constants } from "node:os";
import { needing } from "./installed.ts";
import { checkConservation, numberedLines } from "./numbered_lines.ts";
import { type Program, testExecutables, testPrograms } from "./programs.ts";
import { inFolder, type Running, start, startInShell, summaryIn, until } from "./run.ts";
import { Terminal } from "./terminal.ts";

const JSON_REPORTS = ["--report", "json"];
/** All that end the program in order, as a shell names them. */
const ENDING = ["HUP", "INT", "QUIT", "ALRM", "VTALRM", "PROF", "XCPU", "TERM"] as const;

/** Whether the program handles it or not. */
function send(spillway: Running, ...signals: readonly string[]): void {
  for (const signal of signals) {
    assert(kill(signal, spillway.pid), `kill -s ${signal}: the program is gone`);
  }
}

/** By the shell, which knows all signals. @param pid below zero: a process group */
function kill(signal: string, pid: number): boolean {
  const script = `kill -s ${signal} -- ${pid} 2>&-`;
  return new Deno.Command("bash", { args: ["-c", script] }).outputSync().success;
}

/** The process group of a process: proc(5). */
function groupOf(pid: number): number {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[2]);
}

function numberIn(path: string): number {
  return Number(Deno.readTextFileSync(path));
}

/** Sends a signal that is handled, and waits for a report that comes after it. */
async function sendAndSee(spillway: Running, signal: Deno.Signal): Promise<void> {
  await spillway.kill(signal);
  // The first report may have been asked for before.
  for (let report = 0; report < 2; report++) {
    const known = spillway.reports.length;
    await spillway.counted("it goes on", () => spillway.reports.length > known);
  }
}

/** Reads and writes as if nothing had happened. Ends it. */
async function checkGoesOn(spillway: Running): Promise<void> {
  const output = spillway.readAll();
  await spillway.write(numberedLines(0, 100));
  await spillway.counted("the lines are out", (status) => status.lines_out === 100);
  await spillway.end();
  assertEquals(await spillway.code, 0);
  assertEquals(new TextDecoder().decode(await output), numberedLines(0, 100));
}

// `deno run` listens to SIGINT for itself.
testExecutables(
  "signals that were ignored at the start stay ignored",
  async (program) => {
    const spillway = startInShell(
      program,
      `trap '' ${ENDING.join(" ")}; exec "$@"`,
      JSON_REPORTS,
    );
    await spillway.counted("it reads", () => true);
    send(spillway, ...ENDING, ...ENDING);
    await checkGoesOn(spillway);
  },
);

testPrograms("SIGHUP reopens a file, even if it was ignored", async (program) => {
  await inFolder(async (folder) => {
    const log = `${folder}/log`;
    const spillway = startInShell(program, `trap '' HUP; exec "$@"`, [
      ...["--output", log, ...JSON_REPORTS],
    ]);
    await spillway.write("old\n");
    await spillway.counted("it is out", (status) => status.lines_out === 1);
    await Deno.rename(log, `${log}.1`);
    await spillway.kill("SIGHUP");
    await until("the new file", () => Deno.stat(log).then(() => true, () => false));
    await spillway.end();
    assertEquals(await spillway.code, 0);
    await spillway.readAll();
  });
});

testPrograms("signals that ask for nothing end nothing", async (program) => {
  const spillway = start(program, JSON_REPORTS);
  await spillway.counted("it reads", () => true);
  send(spillway, "PIPE", "XFSZ", "TTOU", "IO", "STKFLT", "CHLD", "URG", "WINCH", "CONT");
  await checkGoesOn(spillway);
});

testPrograms("SIGUSR1 makes a report, as SIGUSR2 does", async (program) => {
  const spillway = start(program, ["--output", "/dev/null", ...JSON_REPORTS]);
  // A runtime that has only just begun to catch a signal may forget the first one.
  await spillway.counted("it reads", () => true);
  await spillway.write(numberedLines(0, 100));
  await until("a report that SIGUSR1 has asked for", async () => {
    await spillway.kill("SIGUSR1");
    return spillway.reports.some(({ event, lines_in }) =>
      event === "status" && lines_in === 100
    );
  }, 50);
  await spillway.end();
  assertEquals(await spillway.code, 0, spillway.stderrSoFar);
  await spillway.readAll();
});

for (const name of ENDING) {
  testPrograms(`ends in order on SIG${name}`, async (program) => {
    await inFolder(async (folder) => {
      const fifo = `${folder}/fifo`;
      const spillway = start(program, ["--fifo", fifo, "--create", ...JSON_REPORTS]);
      const output = spillway.readAll();
      await until("the FIFO", () => Deno.stat(fifo).then(() => true, () => false));
      using writer = await Deno.open(fifo, { write: true });
      await writer.write(new TextEncoder().encode(numberedLines(0, 100)));
      await spillway.kill(`SIG${name}`);
      // The writer keeps the FIFO open: only the signal can end the program.
      assertEquals(await spillway.code, 0);
      assertEquals(new TextDecoder().decode(await output), numberedLines(0, 100));
      await spillway.end();
    });
  });
}

for (const signal of ["SIGINT", "SIGQUIT", "SIGHUP"] as const) {
  testPrograms(`reads the last words of its writer after ${signal}`, async (program) => {
    const spillway = start(program, JSON_REPORTS);
    const output = spillway.readAll();
    await spillway.write(numberedLines(0, 10));
    await spillway.counted("they are out", (status) => status.lines_out === 10);
    await sendAndSee(spillway, signal);
    // The terminal's end may be said twice, by the kernel and by a shell.
    if (signal === "SIGHUP") await sendAndSee(spillway, signal);
    await spillway.write(numberedLines(10, 10));
    await spillway.end();
    assertEquals(await spillway.code, 0);
    assertEquals(new TextDecoder().decode(await output), numberedLines(0, 20));
    checkConservation(summaryIn(await spillway.stderr));
  });
}

testPrograms("waits for a writer after SIGINT only so long", async (program) => {
  const spillway = start(program, ["--drain-timeout", "200ms", ...JSON_REPORTS]);
  const output = spillway.readAll();
  await spillway.write(numberedLines(0, 10));
  await spillway.counted("they are out", (status) => status.lines_out === 10);
  await spillway.kill("SIGINT");
  assertEquals(await spillway.code, 0);
  assertEquals(new TextDecoder().decode(await output), numberedLines(0, 10));
  await spillway.end().catch(() => {});
});

testPrograms("ends at once on a second SIGINT", async (program) => {
  const spillway = start(program, ["--drain-timeout", "1h", ...JSON_REPORTS]);
  // `deno run` handles SIGINT from the start, and ends.
  await spillway.counted("it reads", () => true);
  await sendAndSee(spillway, "SIGINT");
  await spillway.kill("SIGINT");
  assertEquals(await spillway.code, 0);
  await spillway.readAll();
  await spillway.end().catch(() => {});
});

testExecutables("SIGHUP beside SIGTERM is no second wish to end", async (program) => {
  for (const signals of [["TERM", "HUP"], ["HUP", "TERM"]]) {
    const spillway = start(program, JSON_REPORTS);
    // More than its output takes while nobody reads that.
    const text = numberedLines(0, 100_000);
    await spillway.write(text);
    await spillway.counted("it is in", (status) => status.lines_in === 100_000);
    send(spillway, ...signals);
    // Both have been heard by now.
    await sendAndSee(spillway, "SIGUSR1");
    const output = await spillway.readAll();
    assertEquals(await spillway.code, 0, spillway.stderrSoFar);
    assertEquals(new TextDecoder().decode(output), text);
    await spillway.end().catch(() => {});
  }
});

testExecutables("SIGINT does not wait for the writers of a folder", async (program) => {
  await inFolder(async (folder) => {
    const fifo = `${folder}/app`;
    new Deno.Command("mkfifo", { args: [fifo] }).outputSync();
    const spillway = start(program, [
      ...["--fifo", `${folder}/`, "--drain-timeout", "1h", ...JSON_REPORTS],
    ]);
    const output = spillway.readAll();
    using writer = await Deno.open(fifo, { write: true });
    await writer.write(new TextEncoder().encode(numberedLines(0, 100)));
    await spillway.counted("they are out", (status) => status.lines_out === 100);
    await spillway.kill("SIGINT");
    // The writer keeps the FIFO open: only the signal can end the program.
    assertEquals(await spillway.code, 0);
    assertEquals(new TextDecoder().decode(await output), numberedLines(0, 100));
    await spillway.end();
  });
});

testExecutables("hears signals that its starter had blocked", async (program) => {
  const blocked = 'exec env --block-signal=TERM,USR2,CHLD "$@"';
  const spillway = startInShell(program, blocked, JSON_REPORTS);
  const output = spillway.readAll();
  await spillway.write(numberedLines(0, 100));
  await spillway.counted("they are out", (status) => status.lines_out === 100);
  await spillway.kill("SIGTERM");
  // Its writer has not ended.
  assertEquals(await spillway.code, 0);
  await output;
  const command = startInShell(program, blocked, ["--", "sh", "-c", "exit 3"]);
  await command.readAll();
  assertEquals(await command.code, 3);
  for (const ended of [spillway, command]) await ended.end().catch(() => {});
});

// `deno run` writes files of its own.
testExecutables("a file size limit is an error and no death", async (program) => {
  await inFolder(async (folder) => {
    const log = `${folder}/log`;
    const spillway = startInShell(program, 'ulimit -f 8; exec "$@"', [
      ...["--output", log, "--drain-timeout", "200ms", ...JSON_REPORTS],
    ]);
    await spillway.write(numberedLines(0, 1000));
    const { message } = await spillway.reported(
      "the failure",
      ({ event }) => event === "sink_failing",
    );
    assertStringIncludes(`${message}`, "File too large (EFBIG)");
    await spillway.end();
    assertEquals(await spillway.code, 4);
    checkConservation(summaryIn(await spillway.stderr));
    await spillway.readAll();
  });
});

/** A test with a terminal. */
function testInTerminal(
  name: string,
  test: (program: Program, folder: string) => Promise<void>,
): void {
  const { name: fullName, ignore } = needing(name, "tmux", "tmux");
  testPrograms(
    fullName,
    (program) => inFolder((folder) => test(program, folder)),
    { ignore },
  );
}

/** Numbers one a line, and after it a last one if a signal ends it. */
const SERVICE = `trap 'sleep 0.3; echo last; exit' INT HUP
  n=0; while [ $n -lt 600 ]; do n=$((n + 1)); echo $n; sleep 0.1; done`;

function textOf(path: string): Promise<string> {
  return Deno.readTextFile(path).catch(() => "");
}

async function linesIn(path: string): Promise<number> {
  return (await textOf(path)).split("\n").length - 1;
}

testInTerminal("with nohup, a service outlives its terminal", async (program, folder) => {
  const log = `${folder}/log`;
  await Deno.writeTextFile(`${folder}/service`, SERVICE);
  await Deno.writeTextFile(
    `${folder}/run`,
    `cd ${folder}; nohup sh -c 'echo $$ >${folder}/pid; sh ${folder}/service | ${
      program.command.join(" ")
    } >${log}'`,
  );
  const terminal = await Terminal.open(folder, `sh ${folder}/run`, 80, 24);
  await until("the first line", async () => await linesIn(log) > 0);
  const group = groupOf(numberIn(`${folder}/pid`));
  await terminal.close();
  const before = await linesIn(log);
  try {
    await until(
      "lines after the terminal's end",
      async () => await linesIn(log) > before + 5,
    );
  } finally {
    kill("KILL", -group);
  }
});

testInTerminal("^C loses no last words", async (program, folder) => {
  const log = `${folder}/log`;
  await Deno.writeTextFile(`${folder}/service`, SERVICE);
  const terminal = await Terminal.open(
    folder,
    `sh ${folder}/service | ${program.command.join(" ")} >${log}`,
    80,
    24,
  );
  try {
    await until("the first line", async () => await linesIn(log) > 0);
    await terminal.type("C-c");
    await until("its last line", async () => /\nlast\n$/.test(await textOf(log)));
  } finally {
    await terminal.close();
  }
});

testInTerminal("a report from the background stops nothing", async (program, folder) => {
  const log = `${folder}/log`;
  await Deno.writeTextFile(
    `${folder}/run`,
    `set -m; stty tostop
     (echo $BASHPID >${folder}/pid; sleep 600) | ${program.command.join(" ")} >${log} &
     sleep 600`,
  );
  // tmux ignores the signal, and so would all that it starts.
  const terminal = await Terminal.open(
    folder,
    `env --default-signal=TTOU bash ${folder}/run`,
    80,
    24,
  );
  try {
    const group = () => numberIn(`${folder}/pid`);
    await until("the job", async () => await linesIn(`${folder}/pid`) === 1);
    await until("it to handle signals", () => membersOf(group()).some(handlesUsr2));
    // To the whole job: sleep has no use for it, and dies of it.
    kill("USR2", -group());
    await terminal.shows(/lines .* in, .* out, in/);
  } finally {
    await terminal.close();
  }
});

function membersOf(group: number): number[] {
  return [...Deno.readDirSync("/proc")].map(({ name }) => Number(name)).filter((pid) => {
    try {
      return pid > 0 && groupOf(pid) === group;
    } catch (error) {
      // It has ended since.
      if (error instanceof Deno.errors.NotFound || /ESRCH/.test(`${error}`)) return false;
      throw error;
    }
  });
}

function handlesUsr2(pid: number): boolean {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  const caught = BigInt(`0x${/SigCgt:\s*(\w+)/.exec(status)![1]}`);
  return (caught & 1n << BigInt(constants.signals.SIGUSR2 - 1)) !== 0n;
}
