import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  close,
  O_NONBLOCK,
  O_RDONLY,
  O_WRONLY,
  open,
} from "../../src/system/descriptors.ts";
import { lockFile } from "../../src/system/file_locks.ts";
import { mkfifo } from "../../src/system/names.ts";
import { checkConservation, numberedLines } from "./numbered_lines.ts";
import { limitFiles } from "./limits.ts";
import { NOBODYS_PROGRAMS, startAsNobody } from "./nobody.ts";
import { freePort } from "./peers.ts";
import { type Program, testExecutables, testPrograms } from "./programs.ts";
import {
  freeze,
  inFolder,
  type Report,
  run,
  type Running,
  start,
  startInShell,
  summaryIn,
  until,
} from "./run.ts";

const JSON_REPORTS = ["--report", "json"];
const encoder = new TextEncoder();

function makeFifo(path: string): void {
  assertEquals(mkfifo(path, 0o600), 0, path);
}

function textOf(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

/** As a service's `echo >fifo`. */
async function writeTo(fifo: string, text: string): Promise<void> {
  await Deno.writeTextFile(fifo, text, { create: false });
}

async function noticed(spillway: Running, message: RegExp): Promise<Report> {
  return await spillway.reported(
    `${message}`,
    (report) => report.event === "input_notice" && message.test(report.message!),
  );
}

/** Ends it; what came in, with each input and those that have gone, is accounted for. */
async function summaryOf(
  spillway: Running,
  output = spillway.readAll(),
): Promise<Report> {
  await spillway.kill("SIGTERM");
  assertEquals(await spillway.code, 0, spillway.stderrSoFar);
  await output;
  const summary = summaryIn(await spillway.stderr);
  checkConservation(summary);
  const gone = summary.inputs_gone as Report | undefined;
  if (gone) checkConservation(gone);
  const parts = [...summary.inputs!, ...(gone ? [gone] : [])];
  for (const counter of ["lines_in", "bytes_in", "lines_out", "bytes_out"]) {
    const sum = parts.reduce((sum, part) => sum + Number(part[counter]), 0);
    assertEquals(sum, summary[counter], counter);
  }
  return summary;
}

interface Folders {
  readonly program: Program;
  readonly folder: string;
  /** Whose named pipes are read. */
  readonly pipes: string;
}

/** @param on source and executables, or the executables alone */
function testFolder(
  name: string,
  test: (folders: Folders) => Promise<void>,
  on = testExecutables,
): void {
  on(name, (program) =>
    inFolder(async (folder) => {
      const pipes = `${folder}/pipes`;
      await Deno.mkdir(pipes);
      await test({ program, folder, pipes });
    }));
}

testFolder(
  "reads the FIFOs of a folder: those that are there, that come, go and come back",
  async ({ program, folder, pipes }) => {
    const log = (name: string) => `${folder}/${name}.log`;
    const arrives = (name: string, text: string) =>
      until(`${name}.log to be ${text}`, () => textOf(log(name)) === text);
    makeFifo(`${pipes}/there`);
    const spillway = start(program, [
      ...["--fifo", pipes, "--output", `${folder}/{input}.log`, "--report", "json"],
    ]);
    await writeTo(`${pipes}/there`, "one\n");
    await arrives("there", "one\n");

    makeFifo(`${pipes}/comes`);
    await writeTo(`${pipes}/comes`, "two\n");
    await arrives("comes", "two\n");

    // It goes while its writer still writes.
    const writer = await Deno.open(`${pipes}/comes`, { write: true });
    await writer.write(encoder.encode("three\n"));
    await Deno.remove(`${pipes}/comes`);
    await writer.write(encoder.encode("four\n"));
    await arrives("comes", "two\nthree\nfour\n");
    await writer.write(encoder.encode("five, and no end"));
    writer.close();
    await arrives("comes", "two\nthree\nfour\nfive, and no end");
    const status = await spillway.counted(
      "it has gone",
      ({ inputs, inputs_gone }) => inputs!.length === 1 && inputs_gone !== undefined,
    );
    assertEquals((status.inputs_gone as Report).lines_out, 4);
    await until("its file to be closed", () => !isOpen(spillway.pid, log("comes")));

    // And it comes back.
    makeFifo(`${pipes}/comes`);
    await writeTo(`${pipes}/comes`, "six\n");
    await arrives("comes", "two\nthree\nfour\nfive, and no end\nsix\n");
    const summary = await summaryOf(spillway);
    assertEquals(summary.lines_out, 6);
    assertEquals(summary.inputs!.map(({ input }) => input).sort(), ["comes", "there"]);
  },
  testPrograms,
);

function isOpen(pid: number, path: string): boolean {
  for (const { name } of Deno.readDirSync(`/proc/${pid}/fd`)) {
    try {
      if (Deno.readLinkSync(`/proc/${pid}/fd/${name}`) === path) return true;
    } catch (error) {
      // Closed since the folder was read.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return false;
}

testFolder(
  "misses no FIFO when more happens in a folder than the system can say",
  async ({ program, folder, pipes }) => {
    makeFifo(`${pipes}/goes`);
    const spillway = start(program, [
      ...["--fifo", pipes, "--output", `${folder}/{input}.log`, "--report", "json"],
    ]);
    await writeTo(`${pipes}/goes`, "one\n");
    await until("one line", () => textOf(`${folder}/goes.log`) === "one\n");
    // Nothing takes what inotify has to say, and it keeps only so much.
    await freeze(spillway.pid);
    const kept = Number(
      Deno.readTextFileSync("/proc/sys/fs/inotify/max_queued_events"),
    );
    for (let events = 0; events <= kept; events += 2) {
      makeFifo(`${pipes}/passes`);
      Deno.removeSync(`${pipes}/passes`);
    }
    Deno.removeSync(`${pipes}/goes`);
    makeFifo(`${pipes}/comes`);
    Deno.kill(spillway.pid, "SIGCONT");
    await writeTo(`${pipes}/comes`, "two\n");
    await until("another line", () => textOf(`${folder}/comes.log`) === "two\n");
    await spillway.counted(
      "the other has gone",
      ({ inputs, inputs_gone }) =>
        inputs!.length === 1 && (inputs_gone as Report | undefined)?.lines_out === 1,
    );
    assertEquals((await summaryOf(spillway)).lines_out, 2);
  },
);

testFolder(
  "goes on with a FIFO that is made again before its writer has left",
  async ({ program, folder, pipes }) => {
    makeFifo(`${pipes}/api`);
    const spillway = start(program, [
      ...["--fifo", `${pipes}/`, "--output", `${folder}/{input}.log`],
      ...["--report", "json"],
    ]);
    const old = await Deno.open(`${pipes}/api`, { write: true });
    await Deno.remove(`${pipes}/api`);
    makeFifo(`${pipes}/api`);
    const next = writeTo(`${pipes}/api`, "of the new one\n");
    await old.write(encoder.encode("of the old one\n"));
    old.close();
    await next;
    await until(
      "both to arrive",
      () => textOf(`${folder}/api.log`) === "of the old one\nof the new one\n",
    );
    assertEquals((await summaryOf(spillway)).lines_out, 2);
  },
);

testFolder(
  "merges the FIFOs of a folder into one output, each called by its name",
  async ({ program, pipes }) => {
    const spillway = start(program, [
      ...["--fifo", pipes, "--format", "ndjson", "--report", "json"],
    ]);
    const output = spillway.readAll();
    const names = Array.from({ length: 20 }, (_, index) => `in${index}`);
    for (const name of names) {
      makeFifo(`${pipes}/${name}`);
      await writeTo(`${pipes}/${name}`, `${name} one\n${name} two\n`);
      await Deno.remove(`${pipes}/${name}`);
    }
    await spillway.counted(
      "all have gone",
      ({ inputs_gone }) => (inputs_gone as Report | undefined)?.count === names.length,
    );
    await spillway.kill("SIGTERM");
    assertEquals(await spillway.code, 0);
    const summary = summaryIn(await spillway.stderr);
    checkConservation(summary);
    assertEquals(summary.inputs, []);
    const records = new TextDecoder().decode(await output).trimEnd().split("\n")
      .map((line) => JSON.parse(line));
    assertEquals(
      records.map(({ stream, message }) => `${stream}: ${message}`).sort(),
      names.flatMap((name) => [`${name}: ${name} one`, `${name}: ${name} two`]).sort(),
    );
  },
  testPrograms,
);

testFolder(
  "trusts no name in a folder, and reads on",
  async ({ program, folder, pipes }) => {
    makeFifo(`${folder}/elsewhere`);
    const spillway = start(program, [
      ...["--fifo", pipes, "--output", `${folder}/{input}.log`, "--report", "json"],
    ]);
    makeFifo(`${pipes}/not a label`);
    await noticed(spillway, /since its name cannot be its label: a label is 1 to 64/);
    makeFifo(`${pipes}/%2e%2e`);
    Deno.mkdirSync(`${pipes}/folder`);
    Deno.writeTextFileSync(`${pipes}/file`, "not to be read\n");
    Deno.symlinkSync(`${folder}/elsewhere`, `${pipes}/link`);
    const bytes = ["mkfifo", `${pipes}/$(printf 'b\\377d')`];
    const shell = new Deno.Command("bash", { args: ["-c", `${bytes.join(' "')}"`] });
    assert((await shell.output()).success);
    await noticed(spillway, /the name is not UTF-8/);
    makeFifo(`${pipes}/good`);
    await writeTo(`${pipes}/good`, "read\n");
    await until("it to arrive", () => textOf(`${folder}/good.log`) === "read\n");
    const summary = await summaryOf(spillway);
    assertEquals(summary.inputs!.map(({ input }) => input), ["good"]);
    const made = Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
    assertEquals(made, ["elsewhere", "good.log", "pipes"]);
  },
);

testFolder(
  "reads no FIFO whose file another rotates its own to, and says so",
  async ({ program, folder, pipes }) => {
    makeFifo(`${pipes}/a`);
    const spillway = start(program, [
      ...["--fifo", pipes, "--output", `${folder}/{input}`, "--max-size", "1MB"],
      ...["--report", "json"],
    ]);
    await writeTo(`${pipes}/a`, "one\n");
    makeFifo(`${pipes}/a.1`);
    await noticed(spillway, /"a.1" would go to ".*a.1", where "a" rotates its file to/);
    await until("the line to arrive", () => textOf(`${folder}/a`) === "one\n");
    const summary = await summaryOf(spillway);
    assertEquals(summary.inputs!.map(({ input }) => input), ["a"]);
  },
);

testFolder(
  "says of a thousand outputs whose server is down that they fail, in a few lines",
  async ({ program, pipes }) => {
    const count = 1000;
    for (let index = 0; index < count; index++) makeFifo(`${pipes}/s${index}`);
    const spillway = startInShell(program, 'ulimit -n 4096; exec "$@"', [
      ...["--fifo", pipes, "--output", `http://127.0.0.1:${freePort()}/{input}`],
      ...["--capacity", "64KiB", "--report", "json", "--drain-timeout", "100ms"],
    ]);
    for (let index = 0; index < count; index++) {
      await writeTo(`${pipes}/s${index}`, "x".repeat(index) + "\n");
    }
    const told = () => spillway.reports.filter(({ event }) => event === "sink_failing");
    const others = () =>
      spillway.reports.filter(({ event, of }) =>
        event === "others" && of === "sink_failing"
      );
    const failing = () =>
      told().length + others().reduce((sum, { count }) => sum + Number(count), 0);
    await until("all to be reported", () => failing() === count);
    // At most seven lines for each second that begins when one fails.
    const times = [...told(), ...others()].map(({ time }) => Date.parse(time));
    const seconds = 1 + Math.ceil((Math.max(...times) - Math.min(...times)) / 1000);
    assert(times.length <= 7 * seconds, `${times.length} lines in ${seconds} s`);
    await spillway.kill("SIGTERM");
    await spillway.readAll();
    assertEquals(await spillway.code, 4);
  },
);

testFolder(
  "reads no stranger's FIFO in a folder where everybody may make one",
  async ({ program, folder, pipes }) => {
    if (Deno.uid() !== 0) return;
    await Deno.chmod(pipes, 0o1777);
    const spillway = start(program, ["--fifo", pipes, "--report", "json"]);
    makeFifo(`${folder}/made`);
    await Deno.chown(`${folder}/made`, 65534, 65534);
    await Deno.rename(`${folder}/made`, `${pipes}/stranger`);
    await noticed(spillway, /it belongs to another user \(65534\)/);
    makeFifo(`${pipes}/own`);
    await writeTo(`${pipes}/own`, "read\n");
    await spillway.counted("our own is read", (s) => s.lines_out === 1);
    const summary = await summaryOf(spillway);
    assertEquals(summary.inputs!.map(({ input }) => input), ["own"]);
  },
);

testFolder(
  "says which FIFO of a folder is one too many, and reads it when there is room",
  async ({ program, pipes }) => {
    const [limit, room] = [100, 51];
    const names = Array.from({ length: room }, (_, index) => `in${index}`);
    for (const name of names) makeFifo(`${pipes}/${name}`);
    const spillway = startInShell(program, `ulimit -n ${limit}; exec "$@"`, [
      ...["--fifo", pipes, "--capacity", "64KiB", "--report", "json"],
    ]);
    const output = spillway.readAll();
    await spillway.counted("all are read", ({ inputs }) => inputs!.length === room);
    makeFifo(`${pipes}/late`);
    const { message } = await noticed(spillway, /late" is not read before another/);
    assertMatch(message!, /with at most 100 open files 51 can be read; raise the limit/);
    const writing = writeTo(`${pipes}/late`, "read at last\n");
    await Deno.remove(`${pipes}/${names[0]}`);
    await writing;
    await spillway.counted("it is read", (s) => s.lines_out === 1);
    await summaryOf(spillway, output);
    assertMatch(new TextDecoder().decode(await output), /^read at last$/m);
  },
);

testFolder(
  "reads a FIFO that another reader has had, when that has let it go",
  async ({ program, folder, pipes }) => {
    makeFifo(`${pipes}/api`);
    const other = open(`${pipes}/api`, O_RDONLY | O_NONBLOCK);
    assertEquals(lockFile(other, "exclusive"), 0);
    const spillway = start(program, [
      ...["--fifo", pipes, "--output", `${folder}/{input}.log`, "--report", "json"],
    ]);
    await noticed(spillway, /reads it already/);
    close(other);
    let writer = -1;
    await until("it to be read", () => {
      writer = open(`${pipes}/api`, O_WRONLY | O_NONBLOCK);
      return writer >= 0;
    });
    await writeTo(`${pipes}/api`, "read at last\n");
    await until("it to arrive", () => textOf(`${folder}/api.log`) === "read at last\n");
    // Not before: the reader that was found may be a copy that goes with an exec.
    close(writer);
    const summary = await summaryOf(spillway);
    assertEquals(summary.inputs!.map(({ lines_out }) => lines_out), [1]);
    const notices = spillway.reports.filter(({ event }) => event === "input_notice");
    assertEquals(notices.length, 1);
  },
);

testFolder(
  "says that the folder has gone, and reads the one that takes its place",
  async ({ program, folder, pipes }) => {
    makeFifo(`${pipes}/api`);
    const spillway = start(program, [
      ...["--fifo", `${pipes}/`, "--output", `${folder}/{input}.log`],
      ...["--report", "json"],
    ]);
    const writer = await Deno.open(`${pipes}/api`, { write: true });
    await Deno.rename(pipes, `${folder}/moved`);
    await noticed(spillway, /the folder cannot be found any more: .* make it again/);
    await writer.write(encoder.encode("one\n"));
    writer.close();
    await spillway.counted(
      "it has gone",
      (s) => (s.inputs_gone as Report)?.lines_out === 1,
    );
    await Deno.mkdir(pipes);
    makeFifo(`${pipes}/api`);
    await noticed(spillway, /another folder has this path/);
    await writeTo(`${pipes}/api`, "two\n");
    await until(
      "both to arrive",
      () => textOf(`${folder}/api.log`) === "one\ntwo\n",
    );
    await summaryOf(spillway);
  },
);

testFolder(
  "with --create makes the folder, and makes it again",
  async ({ program, pipes }) => {
    await Deno.remove(pipes);
    const spillway = start(program, [
      ...["--fifo", `${pipes}/`, "--create", "--report", "json"],
    ]);
    const output = spillway.readAll();
    const made = () => {
      try {
        return (Deno.statSync(pipes).mode! & 0o777) === 0o700;
      } catch {
        return false;
      }
    };
    await until("the folder to be made", made);
    makeFifo(`${pipes}/first`);
    await writeTo(`${pipes}/first`, "read\n");
    await Deno.remove(pipes, { recursive: true });
    await noticed(spillway, /the folder cannot be found any more/);
    await until("the folder to be made again", made);
    makeFifo(`${pipes}/api`);
    await writeTo(`${pipes}/api`, "read, too\n");
    await spillway.counted("it is read", (s) => s.lines_out === 2);
    await summaryOf(spillway, output);
    assertEquals(new TextDecoder().decode(await output), "read\nread, too\n");
  },
);

testFolder(
  "says at the start what is wrong with a folder",
  async ({ program, pipes }) => {
    const missing = await run(program, ["--fifo", `${pipes}/none/`]);
    assertEquals(missing.code, 1);
    assertMatch(
      missing.stderr,
      /cannot read folder ".*none\/": .*ENOENT.*; make it with mkdir or pass --create/,
    );
    makeFifo(`${pipes}/api`);
    const fifo = await run(program, ["--fifo", `${pipes}/api/`]);
    assertEquals(fifo.code, 1);
    assertMatch(fifo.stderr, /cannot read folder ".*api\/": /);
  },
);

testFolder(
  "does not read what it writes into a folder of FIFOs",
  async ({ program, pipes }) => {
    makeFifo(`${pipes}/out`);
    makeFifo(`${pipes}/in`);
    // Under a name that does not show it.
    const spillway = startInShell(program, `exec "$@" 1<>${pipes}/out`, [
      ...["--fifo", pipes, "--report", "json"],
    ]);
    await noticed(spillway, /it is the same as the output standard output/);
    await writeTo(`${pipes}/in`, numberedLines(0, 3));
    await spillway.counted("once", (s) => s.lines_in === 3 && s.lines_out === 3);
    await summaryOf(spillway);
  },
);

testExecutables(
  "reads what is in a folder that it may enter only later",
  (program) =>
    inFolder(async (folder) => {
      makeFifo(`${folder}/a`);
      await Deno.chmod(`${folder}/a`, 0o644);
      await Deno.chmod(folder, 0o744);
      const spillway = startAsNobody(program, ["--fifo", `${folder}/`, ...JSON_REPORTS]);
      await noticed(
        spillway,
        /cannot look at what is in the folder: .*EACCES.*chmod \+x/,
      );
      await Deno.chmod(folder, 0o755);
      await writeTo(`${folder}/a`, "one\n");
      await spillway.counted("it is out", (status) => status.lines_out === 1);
      await summaryOf(spillway);
    }),
  NOBODYS_PROGRAMS,
);

testExecutables(
  "finds what has come while it could not even list the folder",
  (program) =>
    inFolder(async (folder) => {
      const spillway = start(program, ["--fifo", `${folder}/`, ...JSON_REPORTS]);
      makeFifo(`${folder}/a`);
      await writeTo(`${folder}/a`, "one\n");
      await spillway.counted("it runs", (status) => status.lines_out === 1);
      await limitFiles(spillway.pid, 3);
      await freeze(spillway.pid);
      makeFifo(`${folder}/b`);
      const queue = Number(Deno.readTextFileSync(
        "/proc/sys/fs/inotify/max_queued_events",
      ));
      // Of the FIFO the program has been told, but not of what comes after so much.
      for (let events = 0; events <= queue; events += 2) {
        Deno.writeTextFileSync(`${folder}/file`, "");
        Deno.removeSync(`${folder}/file`);
      }
      makeFifo(`${folder}/c`);
      Deno.kill(spillway.pid, "SIGCONT");
      await noticed(spillway, /cannot list the folder: .*EMFILE.*ulimit -n/);
      await limitFiles(spillway.pid, 1000);
      await writeTo(`${folder}/b`, "two\n");
      await writeTo(`${folder}/c`, "three\n");
      await spillway.counted("all are out", (status) => status.lines_out === 3);
      await summaryOf(spillway);
    }),
);
