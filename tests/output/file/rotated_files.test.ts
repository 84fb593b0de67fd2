import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { compressAll } from "../../../src/output/file/compressor.ts";
import {
  type NameChanges,
  RotatedFiles,
  type RotatedFilesSpec,
} from "../../../src/output/file/rotated_files.ts";
import { TemporaryError } from "../../../src/errors.ts";
import { EBUSY } from "../../../src/system/errno.ts";
import { rename, unlink } from "../../../src/system/names.ts";

/** What is under a number: the file's own, its compressed form, or both. */
type Form = "none" | "plain" | "compressed" | "both";

const MAX_FILES = 5;
const COMPRESSED = "compressed ";

class Killed extends Error {}

/** Changes names until it is killed; from then on nothing happens. */
class MortalNames implements NameChanges {
  #left: number;

  constructor(changes: number) {
    this.#left = changes;
  }

  rename(from: string, to: string): number {
    this.#live();
    return rename(from, to);
  }

  unlink(path: string): number {
    this.#live();
    return unlink(path);
  }

  #live(): void {
    if (this.#left-- <= 0) throw new Killed();
  }
}

function inFolder(test: (path: string) => void): void {
  const folder = Deno.makeTempDirSync({ prefix: "spillway-test-" });
  try {
    test(`${folder}/app.log`);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

function specOf(path: string, maxFiles = MAX_FILES): RotatedFilesSpec {
  return { path, maxFiles, shared: RotatedFiles.share() };
}

/** Files whose content says which they are: the one that is written to is the last. */
function lay(path: string, forms: readonly Form[]): string[] {
  const contents: string[] = [];
  Deno.writeTextFileSync(path, "current");
  forms.forEach((form, index) => {
    const number = index + 1;
    const content = `file ${number}`;
    if (form === "plain" || form === "both") {
      Deno.writeTextFileSync(`${path}.${number}`, content);
    }
    if (form === "compressed") {
      Deno.writeTextFileSync(`${path}.${number}.gz`, COMPRESSED + content);
    }
    if (form === "both") {
      Deno.writeTextFileSync(`${path}.${number}.gz`, COMPRESSED + content);
    }
    if (form !== "none") contents.push(content);
  });
  return ["current", ...contents];
}

/** The contents from the newest to the oldest, and the names they have. */
function look(path: string): { contents: string[]; numbers: number[] } {
  const folder = path.slice(0, path.lastIndexOf("/"));
  const found = [...Deno.readDirSync(folder)].map(({ name }) => ({
    number: Number(/^app\.log(?:\.(\d+)(?:\.gz)?)?$/.exec(name)![1] ?? 0),
    content: Deno.readTextFileSync(`${folder}/${name}`).replace(COMPRESSED, ""),
  })).sort((a, b) => a.number - b.number);
  return {
    contents: found.map(({ content }) => content),
    numbers: found.map(({ number }) => number),
  };
}

function begin(path: string): () => void {
  return () => Deno.writeTextFileSync(path, "new", { createNew: true });
}

function compressRequested(files: RotatedFiles): void {
  files.requestCompression();
  compressAll(files);
}

function rotate(files: RotatedFiles, path: string): void {
  files.rotate(begin(path));
  files.settle();
}

Deno.test("a rotation moves every file up and removes the oldest", () => {
  inFolder((path) => {
    lay(path, ["plain", "compressed", "compressed", "plain"]);
    rotate(new RotatedFiles(specOf(path)), path);
    assertEquals(look(path), {
      contents: ["new", "current", "file 1", "file 2", "file 3"],
      numbers: [0, 1, 2, 3, 4],
    });
  });
});

Deno.test("a rotation removes what is too much after fewer files were asked for", () => {
  inFolder((path) => {
    lay(path, ["plain", "compressed", "plain", "plain"]);
    rotate(new RotatedFiles(specOf(path, 2)), path);
    assertEquals(look(path), { contents: ["new", "current"], numbers: [0, 1] });
  });
});

Deno.test("a program that is killed at any step of a rotation leaves whole files in order", () => {
  const forms = fc.array(
    fc.constantFrom<Form>("none", "plain", "compressed", "both"),
    { maxLength: MAX_FILES - 1 },
  );
  fc.assert(fc.property(forms, fc.nat({ max: 12 }), (forms, changes) => {
    inFolder((path) => {
      const contents = lay(path, forms);
      const names = new MortalNames(changes);
      const mortal = new RotatedFiles(specOf(path), names);
      let complete = false;
      try {
        mortal.recover();
        rotate(mortal, path);
        complete = true;
      } catch (error) {
        if (!(error instanceof Killed)) throw error;
      }
      const spec = specOf(path);
      new RotatedFiles(spec).recover();
      const after = look(path);
      if (after.contents[0] === "new") after.contents.shift();
      else assertEquals(complete, false);
      // Only the oldest may be gone, and only where there was no room for it.
      const kept = after.contents.length === contents.length
        ? contents
        : contents.slice(0, MAX_FILES - 1);
      assertEquals(after.contents, kept);
      const first = after.numbers[0]!;
      assertEquals(after.numbers, after.numbers.map((_, index) => first + index));
      assertEquals(first <= 1, true);
    });
  }));
});

Deno.test("a file that cannot be begun leaves the full one in its place", () => {
  inFolder((path) => {
    lay(path, ["plain"]);
    const files = new RotatedFiles(specOf(path));
    const fail = () => {
      throw new TemporaryError("no room");
    };
    assertThrows(() => files.rotate(fail), TemporaryError, "no room");
    assertEquals(Deno.readTextFileSync(path), "current");
    // And it may be tried again.
    rotate(files, path);
    assertEquals(look(path).contents, ["new", "current", "file 1"]);
  });
});

Deno.test("says which name could not be changed", () => {
  inFolder((path) => {
    const missing = new RotatedFiles(specOf(path));
    assertThrows(
      () => missing.rotate(begin(path)),
      TemporaryError,
      `cannot rename "${path}" to "${path}.0": No such file or directory (ENOENT)`,
    );
  });
});

Deno.test("nothing is moved or removed while the file itself cannot be moved", () => {
  inFolder((path) => {
    lay(path, ["plain", "compressed", "plain", "plain"]);
    const before = look(path);
    const names: NameChanges = {
      rename: (from, to) => from === path ? -EBUSY : rename(from, to),
      unlink,
    };
    const files = new RotatedFiles(specOf(path), names);
    for (let attempt = 0; attempt < 3; attempt++) {
      assertThrows(() => rotate(files, path), TemporaryError, "EBUSY");
    }
    assertEquals(look(path), before);
  });
});

Deno.test("no file is removed while one of them cannot be moved", () => {
  inFolder((path) => {
    lay(path, ["plain", "plain", "plain", "plain"]);
    const stuck = `${path}.2`;
    const names: NameChanges = {
      rename: (from, to) => from === stuck ? -EBUSY : rename(from, to),
      unlink,
    };
    const files = new RotatedFiles(specOf(path), names);
    assertThrows(() => rotate(files, path), TemporaryError, "EBUSY");
    // The new file is in place, and is not given up for it; nor does it make it worse.
    for (let attempt = 0; attempt < 3; attempt++) {
      assertThrows(() => files.rotate(begin(path)), TemporaryError, "EBUSY");
    }
    const contents = [...Deno.readDirSync(path.replace(/[^/]*$/, ""))].map(({ name }) =>
      Deno.readTextFileSync(path.replace(/[^/]*$/, "") + name)
    );
    assertEquals(
      contents.toSorted(),
      ["current", "file 1", "file 2", "file 3", "file 4", "new"],
    );
    new RotatedFiles(specOf(path)).recover();
    assertEquals(look(path).contents, ["new", "current", "file 1", "file 2", "file 3"]);
  });
});

Deno.test("numbers that something else has are passed over", () => {
  inFolder((path) => {
    lay(path, ["plain"]);
    Deno.mkdirSync(`${path}.2/taken`, { recursive: true });
    Deno.symlinkSync("nowhere", `${path}.3.gz`);
    const fifo = new Deno.Command("mkfifo", { args: [`${path}.4`] }).outputSync();
    assert(fifo.success);
    const files = new RotatedFiles(specOf(path));
    rotate(files, path);
    assertEquals(Deno.readTextFileSync(`${path}.5`), "file 1");
    compressRequested(files);
    assertEquals(Deno.readTextFileSync(path), "new");
    for (const number of [1, 5]) assert(Deno.lstatSync(`${path}.${number}.gz`).isFile);
    for (let round = 0; round < 4; round++) {
      Deno.removeSync(path);
      lay(path, []);
      rotate(files, path);
    }
    const left = [...Deno.readDirSync(path.replace(/[^/]*$/, ""))].map(({ name }) =>
      name
    );
    assertEquals(
      left.toSorted(),
      ["", ".1", ".2", ".3.gz", ".4", ".5", ".6", ".7"].map((end) => `app.log${end}`),
    );
    for (const name of [".2", ".3.gz", ".4"]) {
      Deno.removeSync(path + name, { recursive: true });
    }
  });
});

Deno.test("a plain file is compressed to the same bytes, with the same mode, and removed", async () => {
  const folder = await Deno.makeTempDir({ prefix: "spillway-test-" });
  const path = `${folder}/app.log`;
  try {
    // Nothing, less than a member, and more than two of them.
    const contents = [0, 1000, 2_500_000].map((length) => {
      const bytes = new Uint8Array(length);
      return bytes.map((_, index) => (index * index) >> 5);
    });
    for (const [index, content] of contents.entries()) {
      await Deno.writeFile(`${path}.${index + 1}`, content, { mode: 0o600 });
    }
    compressRequested(new RotatedFiles(specOf(path)));
    for (const [index, content] of contents.entries()) {
      const name = `${path}.${index + 1}.gz`;
      const { success, stdout } = await new Deno.Command("gzip", { args: ["-dc", name] })
        .output();
      assertEquals([success, stdout.length], [true, content.length]);
      assertEquals(stdout.every((byte, at) => byte === content[at]), true);
      assertEquals((await Deno.stat(name)).mode! & 0o777, 0o600);
    }
    assertEquals([...Deno.readDirSync(folder)].length, contents.length);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a plain file that was rotated while it was compressed keeps its place", () => {
  inFolder((path) => {
    lay(path, ["plain"]);
    const files = new RotatedFiles(specOf(path));
    files.requestCompression();
    const plain = files.openPlain()!;
    rotate(files, path);
    Deno.writeTextFileSync(files.unfinishedPath, "compressed file 1");
    files.replaceByCompressed(plain);
    assertEquals(look(path).contents, ["new", "current", "file 1"]);
    assertEquals(Deno.readTextFileSync(`${path}.2.gz`), "compressed file 1");
  });
});

Deno.test("a plain file that was rotated out while it was compressed stays away", () => {
  inFolder((path) => {
    lay(path, ["plain"]);
    const files = new RotatedFiles(specOf(path, 2));
    files.requestCompression();
    const plain = files.openPlain()!;
    rotate(files, path);
    Deno.writeTextFileSync(files.unfinishedPath, "compressed file 1");
    files.replaceByCompressed(plain);
    assertEquals(look(path), { contents: ["new", "current"], numbers: [0, 1] });
  });
});

Deno.test("neither reads nor writes what a link in the folder leads to", () => {
  inFolder((path) => {
    const other = `${path}-other`;
    Deno.writeTextFileSync(other, "not a log");
    Deno.writeTextFileSync(`${path}.1`, "a log");
    Deno.symlinkSync(other, `${path}.compressing`);
    const files = new RotatedFiles(specOf(path));
    compressRequested(files);
    assertEquals(Deno.readTextFileSync(other), "not a log");
    assert(Deno.lstatSync(`${path}.1.gz`).isFile);
    Deno.symlinkSync(other, `${path}.2`);
    compressRequested(files);
    assert(Deno.lstatSync(`${path}.2`).isSymlink);
  });
});
