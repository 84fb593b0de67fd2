import { assertEquals } from "@std/assert";
import { close } from "../../src/system/descriptors.ts";
import { pipe } from "../../src/system/pipes.ts";
import { poll, POLLHUP, POLLIN, POLLOUT } from "../../src/system/poll.ts";
import { NO_DESCRIPTOR, readText, writeText } from "./text_io.ts";

const POLLNVAL = 0x20;

Deno.test("poll tells what a descriptor is ready for, of what was asked", () => {
  const [readEnd, writeEnd] = pipe();
  assertEquals(poll(readEnd, POLLIN, 0), 0);
  assertEquals(poll(writeEnd, POLLOUT, -1), POLLOUT);
  writeText(writeEnd, "x");
  assertEquals([poll(readEnd, POLLIN, -1), poll(readEnd, 0, 0)], [POLLIN, 0]);
  readText(readEnd);
  assertEquals(poll(readEnd, POLLIN, 0), 0, "what was ready is forgotten");
  close(readEnd);
  close(writeEnd);
});

Deno.test("poll reports hang-ups and descriptors that are none, unasked", () => {
  const [readEnd, writeEnd] = pipe();
  close(writeEnd);
  assertEquals(poll(readEnd, POLLIN, -1), POLLHUP);
  assertEquals(poll(NO_DESCRIPTOR, POLLOUT, -1), POLLNVAL);
  close(readEnd);
});
