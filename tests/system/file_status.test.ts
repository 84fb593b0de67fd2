import { assert, assertEquals } from "@std/assert";
import { close, O_RDONLY, open } from "../../src/system/descriptors.ts";
import { status } from "../../src/system/file_status.ts";
import { mkfifo } from "../../src/system/names.ts";
import { pipe } from "../../src/system/pipes.ts";
import { withFolder } from "./text_io.ts";

Deno.test("status says what is behind a path or a descriptor", () => {
  withFolder((folder) => {
    Deno.writeTextFileSync(`${folder}/file`, "");
    mkfifo(`${folder}/pipe`, 0o600);
    const kindOf = (target: string | number) => {
      const found = status(target);
      return typeof found === "number" ? found : found.kind;
    };
    assertEquals(kindOf(folder), "directory");
    assertEquals(kindOf(`${folder}/file`), "file");
    assertEquals(kindOf(`${folder}/pipe`), "pipe");
    assertEquals(kindOf("/dev/null"), "device");
    const [readEnd, writeEnd] = pipe();
    assertEquals([kindOf(readEnd), kindOf(writeEnd)], ["pipe", "pipe"]);
    close(readEnd);
    close(writeEnd);
  });
});

Deno.test("a file has one identity under all its names, and two files have two", () => {
  withFolder((folder) => {
    Deno.writeTextFileSync(`${folder}/a`, "");
    Deno.writeTextFileSync(`${folder}/b`, "");
    Deno.linkSync(`${folder}/a`, `${folder}/hard`);
    Deno.symlinkSync(`${folder}/a`, `${folder}/soft`);
    const identityOf = (target: string | number) => {
      const found = status(target);
      return typeof found === "number" ? found : found.identity;
    };
    const descriptor = open(`${folder}/a`, O_RDONLY);
    const identity = identityOf(`${folder}/a`);
    for (const same of [`${folder}/hard`, `${folder}/soft`, descriptor]) {
      assertEquals(identityOf(same), identity);
    }
    assert(identityOf(`${folder}/b`) !== identity);
    close(descriptor);
  });
});
