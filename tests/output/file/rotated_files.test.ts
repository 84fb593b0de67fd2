import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { compressAll } from "../../../src/output/file/compressor.ts";
import {
  type NameChanges,
  RotatedFiles,
  type RotatedFilesSpec,
} from "../../../src/output/file/rotated_files.ts";
import { SinkFailure } from "../../../src/errors.ts";
import { Lock } from "../../../src/threads/lock.ts";
import { rename, unlink } from "../../../src/system/names.ts";

/** What stands under a number: the file's own, its compressed form, or both. */
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
  return { path, maxFiles, lock: Lock.create().memory };
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

Deno.test("a rotation moves every file up and removes the oldest", () => {
  inFolder((path) => {
    lay(path, ["plain", "compressed", "compressed", "plain"]);
    new RotatedFiles(specOf(path)).rotate(begin(path));
    assertEquals(look(path), {
      contents: ["new", "current", "file 1", "file 2", "file 3"],
      numbers: [0, 1, 2, 3, 4],
    });
  });
});

Deno.test("a rotation removes what is too much after fewer files were asked for", () => {
  inFolder((path) => {
    lay(path, ["plain", "compressed", "plain", "plain"]);
    new RotatedFiles(specOf(path, 2)).rotate(begin(path));
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
        mortal.rotate(begin(path));
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
      throw new SinkFailure("no room");
    };
    assertThrows(() => files.rotate(fail), SinkFailure, "no room");
    assertEquals(Deno.readTextFileSync(path), "current");
    // And it may be tried again.
    files.rotate(begin(path));
    assertEquals(look(path).contents, ["new", "current", "file 1"]);
  });
});

Deno.test("says which name could not be changed", () => {
  inFolder((path) => {
    const missing = new RotatedFiles(specOf(path));
    assertThrows(
      () => missing.rotate(begin(path)),
      SinkFailure,
      `cannot rename "${path}": No such file or directory (ENOENT)`,
    );
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
    compressAll(new RotatedFiles(specOf(path)));
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
    const plain = files.openPlain()!;
    files.rotate(begin(path));
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
    const plain = files.openPlain()!;
    files.rotate(begin(path));
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
    compressAll(files);
    assertEquals(Deno.readTextFileSync(other), "not a log");
    assert(Deno.lstatSync(`${path}.1.gz`).isFile);
    Deno.symlinkSync(other, `${path}.2`);
    assertThrows(() => compressAll(files), SinkFailure, "cannot open");
  });
});
