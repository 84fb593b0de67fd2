import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { constants } from "node:os";
import {
  addressOf,
  addressOfMemory,
  close,
  describeError,
  EAGAIN,
  EBADF,
  EEXIST,
  fsync,
  mkfifo,
  O_APPEND,
  O_CREAT,
  O_NONBLOCK,
  O_RDONLY,
  O_WRONLY,
  open,
  openAgainWithoutBlocking,
  pipe,
  POLLHUP,
  POLLIN,
  POLLNVAL,
  POLLOUT,
  PollSet,
  read,
  readableBytes,
  setPipeSize,
  status,
  unlink,
  wallClockMicros,
  write,
} from "../../src/platform/posix.ts";
import { encode } from "../ring/ring_pair.ts";

const { EINVAL, EISDIR, ENOENT, ENOTDIR, ENXIO, EPIPE } = constants.errno;
/** Higher than any limit on open files. */
const NO_DESCRIPTOR = 2 ** 30;

function withFolder(test: (folder: string) => void): void {
  const folder = Deno.makeTempDirSync();
  try {
    test(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

function writeText(descriptor: number, text: string): number {
  const bytes = encode(text);
  return write(descriptor, addressOf(bytes), bytes.length);
}

/** What one read gives, or `-errno`. */
function readText(descriptor: number, length = 64 * 1024): string | number {
  const bytes = new Uint8Array(length);
  const count = read(descriptor, addressOf(bytes), length);
  return count < 0 ? count : new TextDecoder().decode(bytes.subarray(0, count));
}

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

Deno.test("a path with NUL is refused instead of being cut", () => {
  assertThrows(() => open("/dev/null\0.log", O_RDONLY), RangeError, "NUL");
});

Deno.test("error numbers are described in words and by name", () => {
  assertEquals(describeError(ENOENT), "No such file or directory (ENOENT)");
  assertEquals(describeError(EPIPE), "Broken pipe (EPIPE)");
  assertMatch(describeError(99_999), /^.+ \(99999\)$/);
});

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
  close(readEnd);
  assertEquals(writeText(writeEnd, "x"), -EPIPE);
  close(writeEnd);
});

Deno.test("the end of a pipe is a read of nothing", () => {
  const [readEnd, writeEnd] = pipe();
  writeText(writeEnd, "last");
  close(writeEnd);
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

Deno.test("status tells what stands behind a path or a descriptor", () => {
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

Deno.test("a pipe that is opened again does not block, and the first one is as it was", () => {
  const [readEnd, writeEnd] = pipe();
  const again = openAgainWithoutBlocking(writeEnd);
  assert(again >= 0 && again !== writeEnd);
  writeText(again, "both ");
  writeText(writeEnd, "ways");
  assertEquals(readText(readEnd), "both ways");
  for (const descriptor of [again, writeEnd, readEnd]) close(descriptor);
});

Deno.test("poll tells which slots are ready, and ignores those that are disabled", () => {
  const [readEnd, writeEnd] = pipe();
  const [otherEnd, otherWriteEnd] = pipe();
  const poll = new PollSet(3);
  poll.wait(0);
  assertEquals([0, 1, 2].map((slot) => poll.ready(slot)), [0, 0, 0]);
  poll.watch(0, readEnd, POLLIN);
  poll.watch(2, otherEnd, POLLIN);
  poll.wait(0);
  assertEquals([0, 1, 2].map((slot) => poll.ready(slot)), [0, 0, 0]);
  writeText(otherWriteEnd, "x");
  poll.wait(-1);
  assertEquals([0, 1, 2].map((slot) => poll.ready(slot)), [0, 0, POLLIN]);
  poll.disable(2);
  writeText(writeEnd, "x");
  poll.wait(-1);
  assertEquals([0, 1, 2].map((slot) => poll.ready(slot)), [POLLIN, 0, 0]);
  for (const end of [readEnd, writeEnd, otherEnd, otherWriteEnd]) close(end);
});

Deno.test("poll tells of hang-ups and of descriptors that are none, unasked", () => {
  const [readEnd, writeEnd] = pipe();
  const poll = new PollSet(2);
  poll.watch(0, readEnd, POLLIN);
  poll.watch(1, NO_DESCRIPTOR, POLLOUT);
  close(writeEnd);
  poll.wait(-1);
  assertEquals([poll.ready(0), poll.ready(1)], [POLLHUP, POLLNVAL]);
  close(readEnd);
});

Deno.test("what was ready is forgotten at the next wait", () => {
  const [readEnd, writeEnd] = pipe();
  const poll = new PollSet(1);
  poll.watch(0, readEnd, POLLIN);
  writeText(writeEnd, "x");
  poll.wait(-1);
  assertEquals(poll.ready(0), POLLIN);
  readText(readEnd);
  poll.wait(0);
  assertEquals(poll.ready(0), 0);
  close(readEnd);
  close(writeEnd);
});

Deno.test("reads go into WebAssembly memory, at the address of its offsets", () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const [readEnd, writeEnd] = pipe();
  writeText(writeEnd, "into memory");
  assertEquals(read(readEnd, addressOfMemory(memory) + 1000, 11), 11);
  const bytes = new Uint8Array(memory.buffer).slice(999, 1012);
  assertEquals(new TextDecoder().decode(bytes), "\0into memory\0");
  assertEquals(write(writeEnd, addressOfMemory(memory) + 1005, 6), 6);
  assertEquals(readText(readEnd), "memory");
  close(readEnd);
  close(writeEnd);
});

Deno.test("the time of day is that of the runtime, in microseconds", () => {
  const before = Date.now();
  const micros = wallClockMicros();
  const after = Date.now();
  assert(Number.isInteger(micros));
  assert(micros >= before * 1000 && micros < (after + 1) * 1000);
});

Deno.test("a setting that the system refuses leaves things as they were", () => {
  const [readEnd, writeEnd] = pipe();
  assertEquals(setPipeSize(readEnd, -1), -EINVAL);
  assertEquals(writeText(writeEnd, "still a pipe"), 12);
  close(readEnd);
  close(writeEnd);
});
