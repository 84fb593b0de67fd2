import { assertEquals } from "@std/assert";
import { RawFormat } from "../../src/formats/raw.ts";
import { MIN_CAPACITY } from "../../src/lane/lane.ts";
import { bytesOf, flush, overwriteAll, TestInput, textOf } from "./pipeline.ts";

Deno.test("raw output is the input, byte for byte", () => {
  const input = new TestInput("stdout");
  input.push(new Uint8Array([0, 255, 13, 10, 10, 65]));
  const [piece] = flush(new RawFormat(), input);
  assertEquals(piece?.bytes, new Uint8Array([0, 255, 13, 10, 10, 65]));
});

Deno.test("raw output tells where each line ends", () => {
  const input = new TestInput("stdout");
  const format = new RawFormat();
  input.push(bytesOf("one\n\ntwo\nthr"));
  const [piece] = flush(format, input);
  assertEquals(piece?.recordEnds, [4, 5, 9, 12]);
  assertEquals([piece?.startsInside, piece?.endsInside], [false, true]);
  input.push(bytesOf("ee\n"));
  const [rest] = flush(format, input);
  assertEquals([rest?.startsInside, rest?.endsInside], [true, false]);
});

Deno.test("a line of another input starts on a line of its own in raw output", () => {
  const [out, err] = [new TestInput("stdout"), new TestInput("stderr")];
  const format = new RawFormat();
  out.push(bytesOf("unfinished"));
  err.push(bytesOf("error\n"));
  const taken = [...flush(format, out), ...flush(format, err)];
  assertEquals(textOf(taken), "unfinished\nerror\n");
});

Deno.test("a gap in the middle of a line ends it in raw output, with and without a marker", () => {
  for (const markers of [true, false]) {
    const input = new TestInput("stdout", MIN_CAPACITY);
    const format = new RawFormat();
    input.push(bytesOf("first piece"));
    const taken = flush(format, input);
    input.push(bytesOf(", lost piece\n"));
    overwriteAll(input, MIN_CAPACITY, bytesOf("whole line\n"));
    taken.push(...flush(format, input, { markers }));
    const [first, second] = textOf(taken).split("\n");
    assertEquals(first, "first piece");
    assertEquals(second?.startsWith(markers ? "spillway: " : "whole line"), true);
  }
});
