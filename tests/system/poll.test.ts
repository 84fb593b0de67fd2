import { assertEquals } from "@std/assert";
import { close } from "../../src/system/descriptors.ts";
import { pipe } from "../../src/system/pipes.ts";
import { POLLHUP, POLLIN, POLLNVAL, POLLOUT, PollSet } from "../../src/system/poll.ts";
import { NO_DESCRIPTOR, readText, writeText } from "./text_io.ts";

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

Deno.test("poll reports hang-ups and descriptors that are none, unasked", () => {
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
