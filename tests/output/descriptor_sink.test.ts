import { assert, assertEquals, assertThrows } from "@std/assert";
import { PermanentError, SinkClosedError, TemporaryError } from "../../src/errors.ts";
import { DescriptorSink } from "../../src/output/descriptor_sink.ts";
import { Wait } from "../../src/output/wait.ts";
import { close, O_WRONLY, open, read } from "../../src/system/descriptors.ts";
import { addressOf } from "../../src/system/memory.ts";
import { POLLOUT } from "../../src/system/poll.ts";
import { pipe } from "../../src/system/pipes.ts";
import { closeEnd } from "../system/close_end.ts";
import { pieceOf } from "./piece.ts";

const wait = new Wait();

/** Bytes that are all different from their neighbours. */
function numberedBytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => index * 7 % 251);
}

function readBytes(descriptor: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const count = read(descriptor, addressOf(bytes), length);
  assert(count >= 0, `${count}`);
  return bytes.subarray(0, count);
}

Deno.test("through a pipe that is full again and again, every byte comes once", () => {
  const [readEnd, writeEnd] = pipe();
  const sink = new DescriptorSink("the pipe", writeEnd);
  const sent = numberedBytes(300_000);
  const piece = pieceOf(sent);
  const received: number[] = [];
  for (let from = 0; from < sent.length;) {
    from += sink.write(piece, from, wait);
    // Less than a write, so that writes are short.
    received.push(...readBytes(readEnd, 10_000));
  }
  closeEnd(writeEnd, readEnd);
  for (let rest = readBytes(readEnd, 10_000); rest.length > 0;) {
    received.push(...rest);
    rest = readBytes(readEnd, 10_000);
  }
  assertEquals(Uint8Array.from(received), sent);
  close(readEnd);
});

Deno.test("a pipe that is full is waited for, by its descriptor", () => {
  const [readEnd, writeEnd] = pipe();
  const sink = new DescriptorSink("the pipe", writeEnd);
  const piece = pieceOf(numberedBytes(10_000_000));
  const wait = new Wait();
  for (let from = 0, taken = 1; taken > 0; from += taken) {
    assertEquals(wait.descriptor, -1);
    taken = sink.write(piece, from, wait);
  }
  assertEquals([wait.descriptor, wait.events], [writeEnd, POLLOUT]);
  close(readEnd);
  close(writeEnd);
});

Deno.test("a reader that has gone has closed the sink", () => {
  const [readEnd, writeEnd] = pipe();
  const sink = new DescriptorSink("the pipe", writeEnd);
  closeEnd(readEnd, writeEnd);
  const { message } = assertThrows(
    () => sink.write(pieceOf(numberedBytes(1)), 0, wait),
    SinkClosedError,
  );
  assert(message.startsWith("the pipe was closed by its reader: Broken pipe"));
  close(writeEnd);
});

Deno.test("a descriptor that is none, or not for writing, never will work", () => {
  const readOnly = open("/dev/null", 0);
  for (const descriptor of [2 ** 30, readOnly]) {
    const sink = new DescriptorSink("the file", descriptor);
    assertThrows(
      () => sink.write(pieceOf(numberedBytes(1)), 0, wait),
      PermanentError,
      "cannot write to the file: Bad file descriptor (EBADF)",
    );
  }
  close(readOnly);
});

Deno.test("a full disk may have room later", () => {
  const full = open("/dev/full", O_WRONLY);
  const sink = new DescriptorSink('"/dev/full"', full);
  assertThrows(
    () => sink.write(pieceOf(numberedBytes(1)), 0, wait),
    TemporaryError,
    'cannot write to "/dev/full": No space left on device (ENOSPC)',
  );
  close(full);
});
