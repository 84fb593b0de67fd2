import { assert, assertEquals } from "@std/assert";
import { constants } from "node:os";
import {
  close,
  O_APPEND,
  O_CREAT,
  O_NONBLOCK,
  O_RDONLY,
  O_WRONLY,
  open,
  openAgain,
} from "../../src/system/descriptors.ts";
import { EBADF, EEXIST } from "../../src/system/errno.ts";
import { status } from "../../src/system/file_status.ts";
import { fsync } from "../../src/system/files.ts";
import { mkfifo, unlink } from "../../src/system/names.ts";
import { pipe, readableBytes, setPipeSize } from "../../src/system/pipes.ts";
import { NO_DESCRIPTOR, readText, withFolder, writeText } from "./text_io.ts";

const { EISDIR, ENOENT, ENOTDIR } = constants.errno;

Deno.test("a file is made with its mode, appended to and read", () => {
  withFolder((folder) => {
    const path = `${folder}/häßlich 名.log`;
    const output = open(path, O_WRONLY | O_APPEND | O_CREAT, 0o640);
    assert(output >= 0);
    assertEquals(writeText(output, "one\n"), 4);
    assertEquals(writeText(output, "two\n"), 4);
    assertEquals(fsync(output), 0);
    assertEquals(close(output), 0);
    assertEquals(Deno.readTextFileSync(path), "one\ntwo\n");
    assertEquals(Deno.statSync(path).mode! & 0o777 & ~0o640, 0);
    const input = open(path, O_RDONLY);
    assertEquals(readText(input, 5), "one\nt");
    assertEquals(readText(input), "wo\n");
    assertEquals(readText(input), "");
    close(input);
    assertEquals(unlink(path), 0);
    assertEquals(unlink(path), -ENOENT);
  });
});

Deno.test("errors come as -errno, each call its own", () => {
  withFolder((folder) => {
    assertEquals(open(`${folder}/missing`, O_RDONLY), -ENOENT);
    assertEquals(open(folder, O_WRONLY), -EISDIR);
    Deno.writeTextFileSync(`${folder}/file`, "");
    assertEquals(open(`${folder}/file/below`, O_RDONLY), -ENOTDIR);
    assertEquals(mkfifo(`${folder}/file`, 0o600), -EEXIST);
    assertEquals(close(NO_DESCRIPTOR), -EBADF);
    assertEquals(readText(NO_DESCRIPTOR), -EBADF);
    assertEquals(writeText(NO_DESCRIPTOR, "x"), -EBADF);
    assertEquals(fsync(NO_DESCRIPTOR), -EBADF);
    assertEquals(readableBytes(NO_DESCRIPTOR), -EBADF);
    assertEquals(setPipeSize(NO_DESCRIPTOR, 4096), -EBADF);
    assertEquals(status(NO_DESCRIPTOR), -EBADF);
    assertEquals(status(`${folder}/missing`), -ENOENT);
  });
});

Deno.test("a pipe that is opened again does not block, and the first one is as it was", () => {
  const [readEnd, writeEnd] = pipe();
  const again = openAgain(writeEnd, O_WRONLY | O_NONBLOCK);
  assert(again >= 0 && again !== writeEnd);
  writeText(again, "both ");
  writeText(writeEnd, "ways");
  assertEquals(readText(readEnd), "both ways");
  for (const descriptor of [again, writeEnd, readEnd]) close(descriptor);
});
