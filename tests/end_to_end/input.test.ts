import { setTimeout as pause } from "node:timers/promises";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  checkConservation,
  checkNumberedLines,
  numberedLines,
} from "./numbered_lines.ts";
import { NEEDS_PYTHON, NEEDS_ROOT } from "./installed.ts";
import { type Program, testExecutables, testPrograms } from "./programs.ts";
import { inFolder, run, Running, start, startInShell, summaryIn, until } from "./run.ts";

const JSON_REPORTS = ["--report", "json"];

function makeFifo(path: string): void {
  const { success } = new Deno.Command("mkfifo", { args: [path] }).outputSync();
  assert(success);
}

/** Writes into a FIFO as a process of its own. Returns when the writer has ended. */
async function writeInto(path: string, text: string): Promise<void> {
  const writer = new Running(["sh", "-c", 'exec cat > "$0"', path]);
  await writer.write(text);
  await writer.end();
  assertEquals(await writer.code, 0);
}

testPrograms("copies a pipe byte for byte", async (program) => {
  const bytes = new Uint8Array(300_000).map((_, index) =>
    (index * 7919 + index / 251) & 255
  );
  const { code, stdout, stderr } = await run(program, JSON_REPORTS, bytes);
  assertEquals(code, 0);
  assertEquals(stdout, bytes);
  const summary = summaryIn(stderr);
  checkConservation(summary);
  assertEquals(summary.bytes_out, bytes.length);
  assertEquals(summary.lines_in, summary.lines_out);
});

testPrograms(
  "delivers text with empty lines, CRLF, NUL and split characters",
  async (program) => {
    const text = "\n\na\r\n\0b\0\nünïcödé ✓ 𝄞\n\xff\n\nlast line without its newline";
    const { stdout, stderr } = await run(program, JSON_REPORTS, text);
    assertEquals(new TextDecoder().decode(stdout), text);
    const summary = summaryIn(stderr);
    assertEquals([summary.lines_in, summary.lines_out], [8, 8]);
  },
);

testPrograms("reads a file, and nothing at all", async (program) => {
  await inFolder(async (folder) => {
    const text = numberedLines(0, 1000);
    await Deno.writeTextFile(`${folder}/input`, text);
    const script = '"$@" < "$INPUT"';
    for (const [input, expected] of [[`${folder}/input`, text], ["/dev/null", ""]]) {
      const spillway = startInShell(program, script, [], { INPUT: input! });
      assertEquals(new TextDecoder().decode(await spillway.readAll()), expected);
      assertEquals(await spillway.code, 0);
    }
  });
});

testPrograms(
  "delivers all of a file that is larger than the ring, however slow the output is",
  (program) =>
    inFolder(async (folder) => {
      const count = 20_000;
      await Deno.writeTextFile(`${folder}/input`, numberedLines(0, count));
      const args = ["--capacity", "64KiB", ...JSON_REPORTS];
      const spillway = startInShell(program, 'exec "$@" < "$INPUT"', args, {
        INPUT: `${folder}/input`,
      });
      await spillway.counted(
        "the ring is full",
        (s) => Number(s.lines_in) > 300,
      );
      const seen = checkNumberedLines(await spillway.readAll());
      assertEquals([seen.lines, seen.lostLines], [count, 0]);
      assertEquals(await spillway.code, 0);
    }),
);

testPrograms("reads a terminal until its end of file", async (program) => {
  const spillway = startInShell(program, 'exec script -qec "$COMMAND" /dev/null', [], {
    COMMAND: `stty -echo; ${program.command.join(" ")} --report json 2>&1`,
  });
  const output = spillway.readAll();
  // What is typed before a program reads its terminal may be thrown away.
  await until("the end of file to be seen", async () => {
    await spillway.write("line\n\u0004").catch(() => {});
    return spillway.ended;
  }, 50);
  const text = new TextDecoder().decode(await output).replaceAll("\r", "");
  const summary = summaryIn(text);
  assert(Number(summary.lines_in) > 0);
  assertEquals(summary.lines_in, summary.lines_out);
  assertStringIncludes(text, "line\n");
  await spillway.end().catch(() => {});
});

testPrograms("says what is wrong with standard input", async (program) => {
  await checkRefused(program, '"$@" </', "it is a directory; redirect a file or a pipe");
  // As nohup(1) leaves it.
  const script = 'exec "$@" 0>/dev/null';
  await checkRefused(program, script, "it is open for writing only; redirect a file or");
});

async function checkRefused(program: Program, script: string, why: string) {
  const spillway = startInShell(program, script, []);
  assertEquals(await spillway.code, 1);
  assertStringIncludes(await spillway.stderr, `cannot read standard input: ${why}`);
}

/** Starts a program with a socket of the type that is named first as its standard input. */
const WITH_SOCKET = `exec python3 -c '
import os, socket, sys
given = socket.socket(socket.AF_UNIX, getattr(socket, sys.argv[1]))
given.bind("")
if sys.argv[1] == "SOCK_STREAM": given.listen()
os.dup2(given.fileno(), 0)
os.execvp(sys.argv[2], sys.argv[2:])
'`;

testExecutables(
  "refuses sockets that systemd hands over and that have no end",
  async (program) => {
    for (
      const [type, why] of [
        [
          "SOCK_STREAM",
          "it is a socket that waits for connections; hand over a connected",
        ],
        ["SOCK_DGRAM", "it is a socket of messages, of which an empty one looks like"],
        ["SOCK_SEQPACKET", "it is a socket of messages"],
      ] as const
    ) {
      await checkRefused(program, `${WITH_SOCKET} ${type} "$@"`, why);
    }
  },
  NEEDS_PYTHON,
);

testPrograms(
  "waits for the next writer of a FIFO and loses no byte between",
  async (program) => {
    await inFolder(async (folder) => {
      const fifo = `${folder}/fifo`;
      makeFifo(fifo);
      const spillway = start(program, ["--fifo", fifo, ...JSON_REPORTS]);
      const output = spillway.readAll();
      const writers = 40;
      for (let writer = 0; writer < writers; writer++) {
        await writeInto(fifo, numberedLines(writer * 10, 10));
      }
      await spillway.counted("all is out", (s) => s.lines_out === writers * 10);
      await spillway.kill("SIGTERM");
      const seen = checkNumberedLines(await output);
      assertEquals([seen.lines, seen.lostLines], [writers * 10, 0]);
      assertEquals(await spillway.code, 0);
    });
  },
);

testPrograms("does not spin while a FIFO has no writer", async (program) => {
  await inFolder(async (folder) => {
    const fifo = `${folder}/fifo`;
    makeFifo(fifo);
    const spillway = start(program, ["--fifo", fifo, ...JSON_REPORTS]);
    await writeInto(fifo, "first\n");
    await spillway.counted("the first writer's line", (s) => s.lines_out === 1);
    // A reader that spins uses up its processor; ten reads of the clock suffice.
    const before = await cpuTicks(spillway.pid);
    await pause(300);
    const used = await cpuTicks(spillway.pid) - before;
    assert(used < 15, `${used} of 30 ticks were used while there was nothing to do`);
    await spillway.kill("SIGTERM");
    await spillway.readAll();
  });
});

/** Processor time of a process, in ticks of 10 ms: proc(5), fields 14 and 15. */
async function cpuTicks(pid: number): Promise<number> {
  const text = await Deno.readTextFile(`/proc/${pid}/stat`);
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

testPrograms("ends with --once when the last writer has left", async (program) => {
  await inFolder(async (folder) => {
    const fifo = `${folder}/fifo`;
    makeFifo(fifo);
    const spillway = start(program, ["--fifo", fifo, "--once"]);
    await writeInto(fifo, "a\nb");
    assertEquals(new TextDecoder().decode(await spillway.readAll()), "a\nb");
    assertEquals(await spillway.code, 0);
  });
});

testPrograms("makes missing FIFOs, and leaves all of them behind", async (program) => {
  await inFolder(async (folder) => {
    const [mine, other] = [`${folder}/mine`, `${folder}/other`];
    makeFifo(other);
    const flags = ["--fifo", `a=${mine}`, "--fifo", `b=${other}`, "--create", "--once"];
    const spillway = start(program, [...flags, ...JSON_REPORTS]);
    await until("the FIFO", () => exists(mine));
    assertEquals(Deno.statSync(mine).mode! & 0o777, 0o600);
    await Promise.all([writeInto(mine, "1\n"), writeInto(other, "2\n3\n")]);
    const output = new TextDecoder().decode(await spillway.readAll());
    assertEquals(output.split("\n").sort(), ["", "1", "2", "3"]);
    assertEquals(await spillway.code, 0);
    assert(exists(mine), "the FIFO that it made is gone");
    assert(exists(other), "a FIFO that it did not make is gone");
    const summary = summaryIn(await spillway.stderr);
    checkConservation(summary);
    assertEquals(summary.inputs?.map((i) => [i.input, i.lines_in]), [["a", 1], ["b", 2]]);
  });
});

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

testPrograms("never mixes the lines of several writers", async (program) => {
  await inFolder(async (folder) => {
    const fifo = `${folder}/fifo`;
    makeFifo(fifo);
    const spillway = start(program, ["--fifo", fifo, "--once", ...JSON_REPORTS]);
    const output = spillway.readAll();
    const line = (writer: string) => writer.repeat(4095) + "\n";
    // Each line is one write(2) of 4096 bytes: the most that a pipe takes whole. The
    // shell keeps the FIFO open, so that it has a writer until all three are done.
    const script = `exec 9> "$1"
      for letter in a b c; do
        line=$(printf "%4095s" "" | tr " " "$letter")
        (for i in $(seq 100); do printf "%s\\n" "$line"; done > "$1") &
      done
      wait`;
    const writers = new Running(["bash", "-c", script, "bash", fifo]);
    assertEquals(await writers.code, 0);
    await Promise.all([writers.readAll(), writers.end()]);
    const text = new TextDecoder().decode(await output);
    const counts = new Map<string, number>();
    for (const found of text.split("\n").slice(0, -1)) {
      assertEquals(`${found}\n`, line(found[0]!));
      counts.set(found[0]!, (counts.get(found[0]!) ?? 0) + 1);
    }
    assertEquals([...counts.values()], [100, 100, 100]);
  });
});

testPrograms(
  "says what to do about a FIFO that cannot be read",
  async (program: Program) => {
    await inFolder(async (folder) => {
      await Deno.writeTextFile(`${folder}/file`, "");
      const cases = [
        [
          "nothing",
          "No such file or directory (ENOENT); make one with mkfifo or pass --create",
        ],
        ["file", "not a FIFO but a regular file"],
      ];
      for (const [name, reason] of cases) {
        const { code, stderr } = await run(program, ["--fifo", `${folder}/${name}`]);
        assertEquals(code, 1);
        assertStringIncludes(stderr, `cannot open FIFO "${folder}/${name}": ${reason}`);
      }
      const { code, stderr } = await run(program, [
        "--fifo",
        `${folder}/missing/fifo`,
        "--create",
      ]);
      assertEquals(code, 1);
      assertStringIncludes(stderr, "cannot make FIFO");
    });
  },
);

testPrograms(
  "with --create reads no FIFO that somebody else has put into a folder for everybody",
  (program) =>
    inFolder(async (folder) => {
      await Deno.chmod(folder, 0o1777);
      const path = `${folder}/fifo`;
      makeFifo(path);
      await Deno.chown(path, 65534, 65534);
      const refused = start(program, ["--fifo", path, "--create"]);
      await until("its end", () => refused.ended);
      assertEquals(await refused.code, 1);
      assertStringIncludes(await refused.stderr, "it belongs to another user (65534)");
      await Promise.all([refused.readAll(), refused.end().catch(() => {})]);
      // One that is named without wanting to make it is meant as it is.
      const spillway = start(program, ["--fifo", path, "--once"]);
      const output = spillway.readAll();
      // Without O_CREAT, which the kernel may refuse as well.
      const writer = await Deno.open(path, { write: true });
      await writer.write(new TextEncoder().encode("line\n"));
      writer.close();
      assertEquals(await spillway.code, 0);
      assertEquals(new TextDecoder().decode(await output), "line\n");
      await spillway.end().catch(() => {});
    }),
  NEEDS_ROOT,
);
