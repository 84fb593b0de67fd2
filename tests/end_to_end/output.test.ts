import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  checkConservation,
  checkNumberedLines,
  numberedLines,
} from "./numbered_lines.ts";
import { NEEDS_ROOT } from "./installed.ts";
import { FORMAT_NAMES } from "../../src/formats/formats.ts";
import { testExecutables, testPrograms } from "./programs.ts";
import { inFolder, run, Running, start, startInShell, summaryIn, until } from "./run.ts";
import { onSmallDisk } from "./small_disk.ts";
import { Receiver } from "./stream_receiver.ts";

const JSON_REPORTS = ["--report", "json"];
const MIB = 1024 * 1024;

testPrograms("appends to a file and makes it with mode 0640", async (program) => {
  await inFolder(async (folder) => {
    const path = `${folder}/app.log`;
    for (const text of ["one\n", "two\n"]) {
      const { code, stdout } = await run(program, ["--output", path], text);
      assertEquals([code, stdout.length], [0, 0]);
    }
    assertEquals(await Deno.readTextFile(path), "one\ntwo\n");
    assertEquals((await Deno.stat(path)).mode! & 0o777, 0o640);
  });
});

for (const format of FORMAT_NAMES) {
  testExecutables(
    `begins a new line where the last run has left one unfinished, as ${format}`,
    (program) =>
      inFolder(async (folder) => {
        const path = `${folder}/app.log`;
        await Deno.writeTextFile(path, "torn");
        await run(program, ["--output", path, "--format", format], "one\ntwo");
        const first = await Deno.readTextFile(path);
        assert(first.startsWith("torn\n"), first);
        await run(program, ["--output", path, "--format", format], "next\n");
        const second = await Deno.readTextFile(path);
        const added = second.slice(first.length);
        assertEquals(second.startsWith(first), true);
        assertEquals(added.startsWith("\n"), !first.endsWith("\n"), added);
        assertEquals(added.includes("next"), true);
      }),
  );
}

testExecutables(
  "begins a new line at the end of a file that a shell appends to, and in no other",
  (program) =>
    inFolder(async (folder) => {
      const path = `${folder}/app.log`;
      const appended = '"$@" >>"$FILE"';
      const prefixed = '{ printf "prefix: "; "$@"; } >"$FILE"';
      for (
        const [script, expected] of [[appended, "torn\none\n"], [
          prefixed,
          "prefix: one\n",
        ]]
      ) {
        await Deno.writeTextFile(path, "torn");
        const spillway = startInShell(program, script!, [], { FILE: path });
        await spillway.write("one\n");
        await spillway.end();
        assertEquals(await spillway.code, 0);
        assertEquals(await Deno.readTextFile(path), expected);
        await spillway.readAll();
      }
    }),
);

testPrograms(
  "writes to nothing that somebody else has put into a folder for everybody",
  (program) =>
    inFolder(async (folder) => {
      await Deno.chmod(folder, 0o1777);
      const [file, fifo, socket] = ["file", "fifo", "socket"].map((name) =>
        `${folder}/${name}`
      ) as [string, string, string];
      await Deno.writeTextFile(file, "");
      const receiver = Receiver.unix(socket);
      receiver.start();
      await new Deno.Command("mkfifo", { args: [fifo] }).output();
      for (const path of [file, fifo, socket]) await Deno.chown(path, 65534, 65534);
      const reader = new Running(["cat", fifo]);
      const outputs = [file, `fifo:${fifo}`, `unix:${socket}`, `syslog+unix:${socket}`];
      for (const output of outputs) {
        const { code, stderr } = await run(program, ["--output", output], "secret\n");
        assertEquals(code, 1);
        assertStringIncludes(stderr, "it belongs to another user (65534)");
      }
      assertEquals(await Deno.readTextFile(file), "");
      // What belongs to the owner of the folder is to be trusted as the folder is.
      await Deno.chown(folder, 65534, 65534);
      for (const output of [`fifo:${fifo}`, `unix:${socket}`]) {
        await run(program, ["--output", output], "public\n");
      }
      assertEquals(new TextDecoder().decode(await reader.readAll()), "public\n");
      await until("the line", () => receiver.text !== "");
      receiver.stop();
      assertEquals(receiver.text, "public\n");
      await reader.end();
    }),
  NEEDS_ROOT,
);

testPrograms(
  "leaves nothing else in any folder, such as a cache of code",
  async (program) => {
    await inFolder(async (folder) => {
      const output = `${folder}/app.log`;
      const running = new Running([...program.command, "--output", output], {
        TMPDIR: folder,
      });
      await running.write("one\n");
      await running.end();
      assertEquals(await running.code, 0);
      assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["app.log"]);
    });
  },
);

testPrograms("reopens the file on SIGHUP and loses nothing", async (program) => {
  await inFolder(async (folder) => {
    const path = `${folder}/app.log`;
    const spillway = start(program, ["--output", path, ...JSON_REPORTS]);
    const rounds = 5;
    for (let round = 0; round < rounds; round++) {
      await spillway.write(numberedLines(round * 1000, 1000));
      await spillway.counted("it is out", (s) => s.lines_out === (round + 1) * 1000);
      await Deno.rename(path, `${path}.${round}`);
      await spillway.kill("SIGHUP");
      await until("the new file", () => Deno.stat(path).then(() => true, () => false));
    }
    await spillway.end();
    assertEquals(await spillway.code, 0);
    for (let round = 0; round < rounds; round++) {
      const text = await Deno.readTextFile(`${path}.${round}`);
      assertEquals(text, numberedLines(round * 1000, 1000));
    }
  });
});

testExecutables(
  "writes on under the name of a file that was deleted, and says so",
  (program) =>
    inFolder(async (folder) => {
      const path = `${folder}/app.log`;
      const spillway = start(program, ["--output", path, ...JSON_REPORTS]);
      await spillway.write(numberedLines(0, 10));
      await spillway.counted("they are out", (s) => s.lines_out === 10);
      await Deno.remove(path);
      await until("the file to be there again", async () => {
        await spillway.write("alive\n");
        return await Deno.stat(path).then(() => true, () => false);
      });
      await spillway.reported(
        "the deletion",
        ({ event, message }) =>
          event === "output_notice" && message!.includes("was deleted, and has been"),
      );
      await spillway.write("the end\n");
      await spillway.end();
      assertEquals(await spillway.code, 0);
      assert((await Deno.readTextFile(path)).endsWith("alive\nthe end\n"));
      await spillway.readAll();
    }),
);

testExecutables(
  "creates a file again at the end that was deleted since its last line",
  (program) =>
    inFolder(async (folder) => {
      const path = `${folder}/app.log`;
      const spillway = start(program, ["--output", path, ...JSON_REPORTS]);
      await spillway.write("first\n");
      await spillway.counted("it is out", (s) => s.lines_out === 1);
      await spillway.write("last\n");
      await spillway.counted("both are out", (s) => s.lines_out === 2);
      await Deno.remove(path);
      await spillway.end();
      assertEquals(await spillway.code, 0);
      assert((await Deno.readTextFile(path)).endsWith("last\n"));
      await spillway.readAll();
    }),
);

testExecutables("says what to do about a file that cannot be opened", async (program) => {
  const { code, stderr } = await run(program, ["--output", "/nowhere/app.log"], "lost\n");
  assertEquals(code, 1);
  assertStringIncludes(stderr, 'cannot open "/nowhere/app.log" for appending');
  assertStringIncludes(stderr, "its folder must exist and be writable");
});

testPrograms("ends with 4 and a summary when its reader has gone", async (program) => {
  const spillway = start(program, JSON_REPORTS);
  await spillway.stdout.cancel();
  await spillway.writeUntilItEnds();
  assertEquals(await spillway.code, 4);
  const summary = summaryIn(await spillway.stderr);
  checkConservation(summary);
  assert(Number(summary.lines_unflushed) > 0);
  assertStringIncludes(await spillway.stderr, "closed by its reader");
  await spillway.end().catch(() => {});
});

testPrograms("writes to a reader that takes small pieces, slowly", async (program) => {
  const spillway = start(program, ["--when-full", "block", ...JSON_REPORTS]);
  const count = 5000;
  const written = spillway.write(numberedLines(0, count)).then(() => spillway.end());
  const reader = spillway.stdout.getReader({ mode: "byob" });
  const pieces: Uint8Array[] = [];
  for (let size = 1;; size = size * 3 % 4099 + 1) {
    const { value, done } = await reader.read(new Uint8Array(size));
    if (done) break;
    pieces.push(value!.slice());
  }
  await written;
  const output = new Uint8Array(await new Blob(pieces as BlobPart[]).arrayBuffer());
  assertEquals(checkNumberedLines(output).lines, count);
  assertEquals(await spillway.code, 0);
});

testExecutables(
  "writes whole output to a descriptor that does not block",
  async (program) => {
    // The pipe is set non-blocking for everybody before the program gets it.
    const script = `python3 -c '
import os, sys
os.set_blocking(1, False)
os.execvp(sys.argv[1], sys.argv[1:])' "$@" | (sleep 0.2; cat)`;
    const spillway = startInShell(program, script, [
      "--when-full",
      "block",
      ...JSON_REPORTS,
    ]);
    const output = spillway.readAll();
    await spillway.write(numberedLines(0, 20_000));
    await spillway.end();
    assertEquals(checkNumberedLines(await output).lines, 20_000);
    checkConservation(summaryIn(await spillway.stderr));
  },
);

testExecutables(
  "keeps lines while the disk is full, and goes on when it is not",
  async (program) => {
    await onSmallDisk(2 * MIB, async (disk) => {
      const ballast = `${disk}/ballast`;
      const path = `${disk}/app.log`;
      await Deno.writeFile(ballast, new Uint8Array(1.5 * MIB));
      const spillway = start(program, ["--output", path, ...JSON_REPORTS]);
      await spillway.write(numberedLines(0, 10_000));
      const failing = await spillway.reported(
        "the disk is full",
        (r) => r.event === "sink_failing",
      );
      assertStringIncludes(failing.message!, "No space left on device (ENOSPC)");
      const status = await spillway.counted("all is read", (s) => s.lines_in === 10_000);
      assert(Number(status.lines_out) < 10_000);
      await Deno.remove(ballast);
      await spillway.reported("it goes on", (r) => r.event === "sink_recovered");
      await spillway.end();
      assertEquals(await spillway.code, 0);
      // Nothing is missing, and nothing was written twice.
      assertEquals(await Deno.readTextFile(path), numberedLines(0, 10_000));
      checkConservation(summaryIn(await spillway.stderr));
    });
  },
  NEEDS_ROOT,
);

testExecutables("ends at the deadline when the disk stays full", async (program) => {
  await onSmallDisk(MIB, async (disk) => {
    const path = `${disk}/app.log`;
    const flags = ["--output", path, "--drain-timeout", "300ms", ...JSON_REPORTS];
    const spillway = start(program, flags);
    await spillway.write(numberedLines(0, 20_000));
    await spillway.end();
    assertEquals(await spillway.code, 4);
    const summary = summaryIn(await spillway.stderr);
    checkConservation(summary);
    assertEquals((await Deno.stat(path)).size, summary.bytes_out);
    assertEquals(Number(summary.lines_out) + Number(summary.lines_unflushed), 20_000);
  });
}, NEEDS_ROOT);

testExecutables("says how its own standard output is called", async (program) => {
  for (
    const [path, advice] of [
      ["/dev/stdout", "write --output -\n"],
      ["/proc/self/fd/1", "write --output -\n"],
      ["/dev/stderr", "write --output - and the shell's >&2\n"],
    ]
  ) {
    const { code, stderr } = await run(program, ["--output", path!], "line\n");
    assertEquals(code, 1);
    assertStringIncludes(stderr, `not a file but a pipe; ${advice}`);
  }
});
