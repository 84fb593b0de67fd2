import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import fc from "fast-check";
import { PermanentError, TemporaryError } from "../../../src/errors.ts";
import { RawFormat } from "../../../src/formats/raw.ts";
import { type RotationSettings, type Sink } from "../../../src/output/sink.ts";
import { Wait } from "../../../src/output/wait.ts";
import { compressAll } from "../../../src/output/file/compressor.ts";
import {
  RotatedFiles,
  type RotatedFilesSpec,
} from "../../../src/output/file/rotated_files.ts";
import { kindOf, parseDestination } from "../../../src/output/sinks.ts";
import { bytesOf, TestInput } from "../../formats/pipeline.ts";

/** A file sink at the end of a real ring, and all that it has said. */
class FileOutput {
  readonly sink: Sink;
  readonly notices: string[] = [];
  readonly failures: string[] = [];
  readonly recoveries: string[] = [];
  readonly plainFiles: RotatedFilesSpec[] = [];
  readonly #format = new RawFormat();
  readonly #input = new TestInput("stdout");

  constructor(path: string, rotation?: Partial<RotationSettings>) {
    const destination = parseDestination(path, {
      rotation: rotation &&
        { maxBytes: 100, maxFiles: 1000, compress: false, ...rotation },
    });
    this.sink = kindOf(destination).open(destination, {
      onNotice: (message) => this.notices.push(message),
      onRotationFailing: (message) => this.failures.push(message),
      onRotationRecovered: (message) => this.recoveries.push(message),
      onPlainFiles: (files) => this.plainFiles.push(files),
    }, "raw");
  }

  /** Each text comes as a frame, all of them in one batch. */
  write(...texts: string[]): void {
    for (const text of texts) this.#input.push(bytesOf(text));
    const batch = this.#input.drain()!;
    this.#format.begin(batch, this.#input.stream);
    for (let piece; (piece = this.#format.next()) !== undefined;) {
      for (let from = 0; from < piece.length;) {
        const taken = this.sink.write(piece, from, new Wait());
        if (typeof taken !== "number") throw new Error("a file needs no promises");
        from += taken;
      }
    }
  }

  /** As its loop does. */
  finish(): void {
    while (!this.sink.finish(new Wait()));
  }

  [Symbol.dispose](): void {
    this.finish();
  }
}

function inFolder(test: (path: string, folder: string) => void): void {
  const folder = Deno.makeTempDirSync({ prefix: "spillway-test-" });
  try {
    test(`${folder}/app.log`, folder);
  } finally {
    Deno.chmodSync(folder, 0o700);
    Deno.removeSync(folder, { recursive: true });
  }
}

/** What the files hold, from the oldest to the one that is written to. */
function read(path: string): string[] {
  const texts: string[] = [];
  for (let name = path, number = 1;; name = `${path}.${number++}`) {
    try {
      texts.unshift(Deno.readTextFileSync(name));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return texts;
      throw error;
    }
  }
}

/** Gives the file and the rotated ones other names, all of them. */
function move(path: string, newPath: string): void {
  const folder = path.slice(0, path.lastIndexOf("/") + 1);
  for (const { name } of [...Deno.readDirSync(folder)]) {
    const from = folder + name;
    if (from.startsWith(path)) Deno.renameSync(from, newPath + from.slice(path.length));
  }
}

Deno.test("a file takes records up to its size, and the next begins a new one", () => {
  inFolder((path) => {
    using output = new FileOutput(path, { maxBytes: 10 });
    output.write("1234\n1234\n", "1\n");
    assertEquals(read(path), ["1234\n1234\n", "1\n"]);
    output.write("12345678\n");
    assertEquals(read(path), ["1234\n1234\n", "1\n", "12345678\n"]);
  });
});

Deno.test("a record that is larger than a file gets one of its own", () => {
  inFolder((path) => {
    using output = new FileOutput(path, { maxBytes: 10 });
    output.write("1\n", "a long record\n", "2\n");
    assertEquals(read(path), ["1\n", "a long record\n", "2\n"]);
  });
});

Deno.test("SIGHUP follows no link where files are rotated", () => {
  inFolder((path, folder) => {
    using output = new FileOutput(path, {});
    Deno.writeTextFileSync(`${folder}/target`, "");
    Deno.renameSync(path, `${path}.moved`);
    Deno.symlinkSync(`${folder}/target`, path);
    output.sink.reopen?.();
    assertStringIncludes(output.failures.join(), "symbolic link");
    output.write("one\n");
    assertEquals(Deno.readTextFileSync(`${folder}/target`), "");
  });
});

Deno.test("a file that cannot be reopened stays in use until it can, and that is said once", () => {
  inFolder((path, folder) => {
    using output = new FileOutput(path);
    Deno.renameSync(path, `${folder}/app.log.1`);
    Deno.mkdirSync(path);
    output.sink.reopen?.();
    assertEquals(output.failures, [
      `cannot reopen "${path}": not a file but a directory; name a file in it; writing goes on to the file that was open, until this works`,
    ]);
    output.write("one\n");
    Deno.removeSync(path);
    output.sink.reopen?.();
    output.write("two\n");
    assertEquals(output.notices, []);
    assertEquals(output.recoveries, [`"${path}" is open again`]);
    assertEquals(Deno.readTextFileSync(`${folder}/app.log.1`), "one\n");
    assertEquals(Deno.readTextFileSync(path), "two\n");
  });
});

Deno.test("a line that was left unfinished is ended before the first record", () => {
  inFolder((path) => {
    Deno.writeTextFileSync(path, "torn");
    using output = new FileOutput(path);
    assertEquals(Deno.readTextFileSync(path), "torn", "not before there is a record");
    output.write("one\n");
    output.write("two\n");
    assertEquals(Deno.readTextFileSync(path), "torn\none\ntwo\n");
  });
});

Deno.test("a line that another process was in the middle of writing is left to it", () => {
  inFolder((path) => {
    Deno.writeTextFileSync(path, "other's li");
    using output = new FileOutput(path);
    Deno.writeTextFileSync(path, "ne\n", { append: true });
    output.write("one\n");
    assertEquals(Deno.readTextFileSync(path), "other's line\none\n");
  });
});

Deno.test("the newline that is put there counts for the size of a file", () => {
  inFolder((path) => {
    Deno.writeTextFileSync(path, "torn");
    using output = new FileOutput(path, { maxBytes: 9 });
    output.write("1234\n");
    assertEquals(read(path), ["torn", "1234\n"]);
  });
});

Deno.test("a record that moves to another file is not glued to a line that was left there", () => {
  inFolder((path) => {
    using output = new FileOutput(path);
    output.write("one\ntw");
    Deno.renameSync(path, `${path}.old`);
    Deno.writeTextFileSync(path, "torn");
    output.sink.reopen?.();
    output.write("o\n");
    assertEquals(Deno.readTextFileSync(path), "torn\ntwo\n");
  });
});

/** Where the next file has room for a part of the record at most. */
const CUT_RECORDS = [
  {
    what: "that was torn",
    left: "x".repeat(4095),
    record: "y".repeat(100),
    flag: "",
    held: `${"x".repeat(4095)}\n`,
  },
  {
    what: "that can only be appended to",
    left: "",
    record: "y".repeat(5000),
    flag: "+a",
    held: `${"y".repeat(4096)}\n`,
  },
] as const;

for (const { what, left, record, flag, held } of CUT_RECORDS) {
  Deno.test({
    name: `on a full disk nothing is glued to the end of a file ${what} (needs root)`,
    ignore: Deno.uid() !== 0,
    fn: () =>
      inFolder((_, folder) => {
        const run = (command: string, ...args: string[]) => {
          const { success, stderr } = new Deno.Command(command, { args }).outputSync();
          assert(success, new TextDecoder().decode(stderr));
        };
        const pages = 1 + Math.ceil(record.length / 4096);
        run("mount", "-t", "tmpfs", "-o", `size=${pages * 4096}`, "tmpfs", folder);
        try {
          const path = `${folder}/app.log`;
          const output = new FileOutput(path);
          output.write(record);
          Deno.renameSync(path, `${path}.old`);
          Deno.writeTextFileSync(path, left);
          if (flag !== "") run("chattr", flag, path);
          output.sink.reopen?.();
          run("mount", "-o", "remount,size=1m", folder);
          output.write("end\n");
          output.finish();
          assertEquals(Deno.readTextFileSync(path), `${held}end\n`);
          assertEquals(Deno.readTextFileSync(`${path}.old`), record);
        } finally {
          run("umount", "-l", folder);
        }
      }),
  });
}

Deno.test("a line of its own that the file ends in goes on after it was opened again", () => {
  inFolder((path) => {
    using output = new FileOutput(path);
    output.write("one\ntw");
    output.sink.reopen?.();
    output.write("o\n");
    assertEquals(Deno.readTextFileSync(path), "one\ntwo\n");
  });
});

Deno.test("what is in the file at the start counts", () => {
  inFolder((path) => {
    Deno.writeTextFileSync(path, "12345678\n", { mode: 0o600 });
    using output = new FileOutput(path, { maxBytes: 10 });
    output.write("1\n");
    assertEquals(read(path), ["12345678\n", "1\n"]);
    assertEquals(Deno.statSync(path).mode! & 0o777, 0o600, "the mode is kept");
  });
});

Deno.test("a single file is emptied when it is full", () => {
  inFolder((path) => {
    using output = new FileOutput(path, { maxBytes: 10, maxFiles: 1 });
    output.write("1234\n1234\n", "1\n");
    assertEquals(read(path), ["1\n"]);
    output.write("2\n");
    assertEquals(read(path), ["1\n2\n"]);
  });
});

Deno.test("no record is ever cut in two, whatever is rotated, moved away and reopened", () => {
  const text = fc.array(fc.constantFrom("a", "bcd", "efghij", "\n"), {
    minLength: 1,
    maxLength: 12,
  }).map((parts) => parts.join(""));
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.array(text, { minLength: 1, maxLength: 4 }) },
    fc.constant("move and reopen" as const),
    fc.constant("reopen" as const),
  );
  const maxBytes = fc.integer({ min: 1, max: 40 });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 8 }), maxBytes, (steps, maxBytes) => {
      inFolder((path, folder) => {
        using output = new FileOutput(path, { maxBytes });
        const expected: string[] = [];
        const found: string[] = [];
        let moves = 0;
        for (const step of steps) {
          if (typeof step !== "string") {
            expected.push(...step);
            output.write(...step);
            continue;
          }
          const moved = `${folder}/moved${moves}.log`;
          if (step === "move and reopen") move(path, moved);
          output.sink.reopen?.();
          if (step === "move and reopen") {
            found.push(...read(moved));
            moves++;
          }
        }
        found.push(...read(path));
        assertEquals(found.join(""), expected.join(""));
        for (const [index, text] of found.entries()) {
          const last = index === found.length - 1;
          assert(last || text === "" || text.endsWith("\n"), `cut: ${text}`);
          // Only the last record may be too much, if it came in pieces or is too long.
          const lastRecord = text.lastIndexOf("\n", text.length - 2) + 1;
          assert(lastRecord <= maxBytes, `too large: ${text}`);
        }
      });
    }),
    { numRuns: 50 },
  );
});

Deno.test("a reopened file takes over the line that the old one ended in", () => {
  inFolder((path) => {
    using output = new FileOutput(path);
    output.write("one\ntwo\nthr");
    Deno.renameSync(path, `${path}.old`);
    output.sink.reopen?.();
    assertEquals(Deno.readTextFileSync(`${path}.old`), "one\ntwo\n");
    assertEquals(Deno.readTextFileSync(path), "thr");
    output.write("ee\n");
    assertEquals(Deno.readTextFileSync(path), "three\n");
  });
});

Deno.test("what somebody else has written to the old file stays there", () => {
  inFolder((path) => {
    using output = new FileOutput(path);
    output.write("one\ntw");
    Deno.writeTextFileSync(path, "stranger\n", { append: true });
    Deno.renameSync(path, `${path}.old`);
    output.sink.reopen?.();
    output.write("o\n");
    assertEquals(Deno.readTextFileSync(`${path}.old`), "one\ntwstranger\n");
    assertEquals(Deno.readTextFileSync(path), "o\n");
  });
});

Deno.test("writing goes on to the full file when it cannot be rotated", () => {
  inFolder((path) => {
    // A folder is in the way, for every user.
    Deno.mkdirSync(`${path}.0`);
    Deno.writeTextFileSync(`${path}.1`, "older\n");
    using output = new FileOutput(path, { maxBytes: 4 });
    output.write("one\n", "two\n", "three\n");
    output.write("four\n");
    assertEquals(Deno.readTextFileSync(path), "one\ntwo\nthree\nfour\n");
    assertEquals(output.failures.length, 1, "it is said once");
    assertStringIncludes(output.failures[0]!, "cannot rename");
    assertStringIncludes(output.failures[0]!, `move the folder "${path}.0" away`);
    assert(output.failures[0]!.endsWith("grows beyond --max-size until this works"));
  });
});

/** Runs `test` as if so much time had passed. */
function later(ms: number, test: () => void): void {
  const { now } = performance;
  performance.now = () => now.call(performance) + ms;
  try {
    test();
  } finally {
    performance.now = now;
  }
}

Deno.test("says once that a file is rotated again after that has failed", () => {
  inFolder((path) => {
    Deno.mkdirSync(`${path}.0`);
    Deno.writeTextFileSync(`${path}.1`, "older\n");
    using output = new FileOutput(path, { maxBytes: 4 });
    output.write("one\n", "two\n");
    Deno.removeSync(`${path}.0`);
    later(60_000, () => output.write("three\n", "four\n"));
    assertEquals(read(path), ["older\n", "one\ntwo\n", "three\n", "four\n"]);
    assertEquals(output.failures.length, 1);
    assertEquals(output.recoveries, [`"${path}" is rotated again`]);
  });
});

Deno.test("a file that was moved away without a word is not rotated for another", () => {
  inFolder((path) => {
    using output = new FileOutput(path, { maxBytes: 4 });
    output.write("one\n");
    Deno.renameSync(path, `${path}.moved`);
    Deno.writeTextFileSync(path, "");
    output.write("two\n");
    assertEquals(Deno.readTextFileSync(`${path}.moved`), "one\n");
    assertEquals(read(path), ["two\n"]);
    assertEquals(output.failures, []);
  });
});

Deno.test("a file that was deleted is created again, with all that no one has seen", () => {
  inFolder((path) => {
    using output = new FileOutput(path);
    output.write("old\n");
    later(2000, () => output.write("seen\n"));
    output.write("in doubt\n", "unfin");
    Deno.removeSync(path);
    later(4000, () => output.write("ished\n", "new\n"));
    assertEquals(Deno.readTextFileSync(path), "seen\nin doubt\nunfinished\nnew\n");
    assertEquals(output.notices, [`"${path}" was deleted, and has been created again`]);
  });
});

Deno.test("a file that was deleted before it was full is created again, too", () => {
  inFolder((path) => {
    using output = new FileOutput(path, { maxBytes: 30 });
    output.write("old\n");
    output.write("in doubt\n");
    Deno.removeSync(path);
    // Within the second after the last look.
    output.write("also in doubt\n");
    output.write("new\n");
    assertEquals(read(path), ["in doubt\nalso in doubt\nnew\n"]);
    assertEquals(output.notices, [`"${path}" was deleted, and has been created again`]);
  });
});

Deno.test("says that something is gone with a deleted file to which others have written", () => {
  inFolder((path) => {
    using output = new FileOutput(path);
    output.write("old\n");
    Deno.writeTextFileSync(path, "stranger\n", { append: true });
    Deno.removeSync(path);
    later(2000, () => output.write("new\n"));
    assertEquals(Deno.readTextFileSync(path), "new\n");
    assert(output.notices[0]!.endsWith("in its last second is gone"), output.notices[0]);
  });
});

Deno.test("a file that was deleted and cannot be created again is a failure, and no end", () => {
  inFolder((path, folder) => {
    Deno.mkdirSync(`${folder}/logs`);
    const output = new FileOutput(`${folder}/logs/app.log`);
    output.write("one\n");
    Deno.removeSync(`${folder}/logs`, { recursive: true });
    // However soon it is tried again: no line goes to the file that has no name.
    for (const afterMs of [2000, 2100, 2300, 4000]) {
      later(afterMs, () => {
        const write = () => output.write("two\n");
        assertThrows(write, TemporaryError, "cannot be created again");
      });
    }
    Deno.mkdirSync(`${folder}/logs`);
    later(4100, () => output.write("three\n"));
    assertEquals(Deno.readTextFileSync(`${folder}/logs/app.log`), "one\nthree\n");
    assertEquals(path, `${folder}/app.log`);
  });
});

Deno.test("a file that was moved is left to whoever has moved it, and the name is followed", () => {
  inFolder((path) => {
    using output = new FileOutput(path);
    output.write("one\n");
    Deno.renameSync(path, `${path}.moved`);
    later(2000, () => output.write("two\n"));
    assertThrows(() => Deno.lstatSync(path), Deno.errors.NotFound);
    later(4000, () => output.write("three\n"));
    assertEquals(Deno.readTextFileSync(`${path}.moved`), "one\ntwo\n");
    assertEquals(Deno.readTextFileSync(path), "three\n");
    assert(output.notices[0]!.includes("was moved away without SIGHUP"));
    Deno.renameSync(path, `${path}.moved`);
    Deno.writeTextFileSync(path, "");
    later(6000, () => output.write("four\n"));
    assertEquals(Deno.readTextFileSync(path), "four\n");
    assertEquals(output.notices.length, 2);
  });
});

Deno.test("asks for compression after each rotation, and for what an earlier run has left", () => {
  inFolder((path) => {
    const output = new FileOutput(path, { maxBytes: 4, compress: true });
    output.write("one\n");
    assertEquals(output.plainFiles.length, 0);
    output.write("two\n", "tri\n");
    assertEquals(output.plainFiles.map(({ path }) => path), [path, path]);
    output.finish();
    // The lock stays with the compressor until it is done.
    compressAll(new RotatedFiles(output.plainFiles[0]!));
    Deno.writeTextFileSync(`${path}.5`, "older\n");
    using next = new FileOutput(path, { maxBytes: 4, compress: true });
    assertEquals(next.plainFiles.length, 1);
  });
});

Deno.test("one that rotates waits for all others, and others for it", () => {
  inFolder((path) => {
    const appending = new FileOutput(path);
    const another = new FileOutput(path);
    appending.write("one\n");
    another.write("two\n");
    using rotating = new FileOutput(path, { maxBytes: 4 });
    const held = new RegExp(`"${path}": process ${Deno.pid} .*has one writer only`);
    assertMatch(
      assertThrows(() => rotating.write("early\n"), TemporaryError).message,
      held,
    );
    appending.finish();
    assertThrows(() => rotating.write("early\n"), TemporaryError);
    another.finish();
    rotating.write("tri\n");
    // It rotates, and keeps the lock over that.
    rotating.write("four\n");
    const late = new FileOutput(path);
    assertMatch(assertThrows(() => late.write("late\n"), TemporaryError).message, held);
    const other = new FileOutput(path, { maxBytes: 4 });
    assertMatch(assertThrows(() => other.write("late\n"), TemporaryError).message, held);
    assertEquals(read(path), ["one\ntwo\n", "tri\n", "four\n"]);
  });
});

Deno.test("the files belong to the last run until its compressor is done", () => {
  inFolder((path) => {
    const first = new FileOutput(path, { maxBytes: 4, compress: true });
    first.write("one\n", "two\n");
    first.finish();
    using second = new FileOutput(path, { maxBytes: 4, compress: true });
    assertThrows(() => second.write("tri\n"), TemporaryError, "has one writer only");
    const files = new RotatedFiles(first.plainFiles[0]!);
    compressAll(files);
    second.write("tri\n");
    // What the second has rotated is not for the compressor of the first.
    compressAll(files);
    assertEquals(Deno.readTextFileSync(`${path}.1`), "two\n");
  });
});

Deno.test("the files are free when the compressor cannot open what it is to compress", () => {
  inFolder((path) => {
    const first = new FileOutput(path, { maxBytes: 4, compress: true });
    first.write("one\n", "two\n");
    first.finish();
    class Unreadable extends RotatedFiles {
      override openPlain(): never {
        throw new TemporaryError("too many open files");
      }
    }
    const files = new Unreadable(first.plainFiles[0]!);
    assertThrows(() => compressAll(files), TemporaryError, "too many open files");
    using second = new FileOutput(path, { maxBytes: 4 });
    second.write("tri\n");
    assertEquals(read(path), ["one\n", "two\n", "tri\n"]);
  });
});

Deno.test("a file that cannot be made lasting is closed, and its lock let go", () => {
  // It can be written to, and not be synced.
  const path = `/proc/${Deno.pid}/comm`;
  const output = new FileOutput(path);
  output.write(Deno.readTextFileSync(path));
  const isOpen = () =>
    [...Deno.readDirSync("/proc/self/fd")].some(({ name }) => {
      try {
        return Deno.readLinkSync(`/proc/self/fd/${name}`) === path;
      } catch {
        // That of the folder itself.
        return false;
      }
    });
  assert(isOpen());
  assertThrows(() => output.finish(), PermanentError, "cannot make");
  assert(!isOpen());
});

Deno.test("nobody takes over while another is in the middle of a rotation", () => {
  inFolder((path) => {
    using first = new FileOutput(path, { maxBytes: 4 });
    first.write("one\n");
    Deno.renameSync(path, `${path}.0`);
    const second = new FileOutput(path, { maxBytes: 4 });
    assertThrows(() => second.write("two\n"), TemporaryError, "has one writer only");
    Deno.renameSync(`${path}.0`, path);
  });
});

Deno.test("refuses to rotate what is not a file", () => {
  inFolder((path, folder) => {
    Deno.writeTextFileSync(`${folder}/target`, "");
    Deno.symlinkSync(`${folder}/target`, path);
    assertThrows(
      () => new FileOutput(path, {}),
      PermanentError,
      `cannot open "${path}" for appending: not a file but a symbolic link; name the file`,
    );
    // Nor does it make what the link leads to.
    Deno.removeSync(`${folder}/target`);
    assertThrows(() => new FileOutput(path, {}), PermanentError, "symbolic link");
    assertThrows(() => Deno.lstatSync(`${folder}/target`), Deno.errors.NotFound);
    assertThrows(
      () => new FileOutput("/dev/null", {}),
      PermanentError,
      'cannot rotate "/dev/null": not a file but a device; leave --max-size out',
    );
  });
});

Deno.test("files that end together set out for the disk before any is waited for", () => {
  inFolder((path) => {
    const files = [new FileOutput(path), new FileOutput(`${path}.2`)];
    files.forEach((file) => file.write("one\n"));
    // Two steps, after each of which the others get their turns at once.
    for (let step = 0; step < 2; step++) {
      for (const { sink } of files) {
        const wait = new Wait();
        assertEquals(sink.finish(wait), false);
        assertEquals(wait.atMs, 0);
      }
    }
    for (const { sink } of files) assertEquals(sink.finish(new Wait()), true);
  });
});
