import { assert, assertEquals } from "@std/assert";
import { closeEnd } from "./close_end.ts";
import { constants } from "node:os";
import {
  close,
  O_CREAT,
  O_NONBLOCK,
  O_RDONLY,
  O_WRONLY,
  open,
} from "../../src/system/descriptors.ts";
import { EAGAIN, EBADF } from "../../src/system/errno.ts";
import { mkfifo } from "../../src/system/names.ts";
import { pipe, readableBytes, setPipeSize } from "../../src/system/pipes.ts";
import { readText, withFolder, writeText } from "./text_io.ts";

const { EINVAL, ENXIO, EPIPE } = constants.errno;

Deno.test("a pipe does not block: empty is EAGAIN, full is EAGAIN, left is EPIPE", () => {
  const [readEnd, writeEnd] = pipe();
  assertEquals(readText(readEnd), -EAGAIN);
  assertEquals(readableBytes(readEnd), 0);
  assertEquals(writeText(writeEnd, "hello"), 5);
  assertEquals(readableBytes(readEnd), 5);
  assertEquals(readText(readEnd), "hello");
  const chunk = "x".repeat(4096);
  let written = 0;
  for (let count = 0; count >= 0; count = writeText(writeEnd, chunk)) written += count;
  assertEquals(writeText(writeEnd, chunk), -EAGAIN);
  assertEquals(readableBytes(readEnd), written);
  // Room for less than is offered, from 4096 bytes up: a short write.
  assertEquals((readText(readEnd, 4096) as string).length, 4096);
  assertEquals(writeText(writeEnd, chunk + "y"), 4096);
  closeEnd(readEnd, writeEnd);
  assertEquals(writeText(writeEnd, "x"), -EPIPE);
  close(writeEnd);
});

Deno.test("the end of a pipe is a read of nothing", () => {
  const [readEnd, writeEnd] = pipe();
  writeText(writeEnd, "last");
  closeEnd(writeEnd, readEnd);
  assertEquals(readText(readEnd), "last");
  assertEquals(readText(readEnd), "");
  close(readEnd);
});

Deno.test("a pipe can be made smaller; other files have no such size", () => {
  const [readEnd, writeEnd] = pipe();
  assert(setPipeSize(readEnd, 8192) >= 8192);
  assertEquals(writeText(writeEnd, "x".repeat(10_000)), 8192);
  close(readEnd);
  close(writeEnd);
  withFolder((folder) => {
    const file = open(`${folder}/file`, O_WRONLY | O_CREAT, 0o600);
    assertEquals(setPipeSize(file, 8192), -EBADF);
    close(file);
  });
});

Deno.test("a named pipe opens for reading before there is a writer, not the other way", () => {
  withFolder((folder) => {
    const path = `${folder}/pipe`;
    assertEquals(mkfifo(path, 0o600), 0);
    assertEquals(Deno.statSync(path).mode! & 0o777, 0o600);
    assertEquals(open(path, O_WRONLY | O_NONBLOCK), -ENXIO);
    const input = open(path, O_RDONLY | O_NONBLOCK);
    assertEquals(readText(input), "");
    const output = open(path, O_WRONLY | O_NONBLOCK);
    assert(output >= 0);
    assertEquals(readText(input), -EAGAIN);
    writeText(output, "through");
    assertEquals(readText(input), "through");
    close(output);
    close(input);
  });
});

Deno.test("a setting that the system refuses leaves things as they were", () => {
  const [readEnd, writeEnd] = pipe();
  assertEquals(setPipeSize(readEnd, -1), -EINVAL);
  assertEquals(writeText(writeEnd, "still a pipe"), 12);
  close(readEnd);
  close(writeEnd);
});
