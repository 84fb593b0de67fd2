import { assertEquals } from "@std/assert";
import { readFile } from "../../src/system/files.ts";
import { createFifo } from "../../src/input/fifo.ts";
import { withFolder } from "./text_io.ts";

Deno.test("reads a file whole, or says why not", () => {
  withFolder((folder) => {
    const path = `${folder}/file`;
    Deno.writeTextFileSync(path, "four");
    assertEquals(readFile(path), new TextEncoder().encode("four"));
    assertEquals(readFile(path, 4), new TextEncoder().encode("four"));
    assertEquals(readFile(path, 3), "File too large (EFBIG)");
    assertEquals(readFile(folder), "not a regular file but a directory");
    assertEquals(readFile(`${path}.gone`), "No such file or directory (ENOENT)");
  });
});

Deno.test("does not wait at a pipe that has the name of a file", () => {
  withFolder((folder) => {
    const path = `${folder}/fifo`;
    createFifo(path);
    assertEquals(readFile(path), "not a regular file but a pipe");
  });
});
