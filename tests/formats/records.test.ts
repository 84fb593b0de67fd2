import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Format } from "../../src/formats/format.ts";
import { FORMAT_NAMES, makeFormat } from "../../src/formats/formats.ts";
import { MIN_CAPACITY } from "../../src/lane/lane.ts";
import { anyFrames } from "./arbitrary.ts";
import {
  type ParsedRecord,
  parseRecords,
  type RecordFormatName,
  saysWhatGoesOn,
} from "./parsed_record.ts";
import {
  bytesOf,
  flush,
  overwriteAll,
  START_TIME,
  type Taken,
  TestInput,
} from "./pipeline.ts";
import { goCharacters } from "./text_rules.ts";

const NAMES = FORMAT_NAMES.filter((name): name is RecordFormatName => name !== "raw");
const NEWLINE = 10;
const CARRIAGE_RETURN = 13;
const MAX_LINE_BYTES = 64;
const CAPACITY_BYTES = 256 * 1024;

function make(name: RecordFormatName, maxLineBytes = MAX_LINE_BYTES): Format {
  return makeFormat(name, { maxLineBytes, host: "web-1" });
}

/** What the parser should read of a piece of a line. */
function expectedText(name: RecordFormatName, bytes: Uint8Array, ends: boolean): string {
  if (name === "cri") {
    const strips = ends && bytes.at(-1) === CARRIAGE_RETURN;
    return String.fromCharCode(...(strips ? bytes.subarray(0, -1) : bytes));
  }
  const text = goCharacters(bytes).join("");
  if (name !== "rfc5424" && name !== "local-syslog") return text;
  return text.replaceAll(/\p{Cc}/gu, (control) => {
    if (name === "local-syslog" && control === "\t") return control;
    const code = control.charCodeAt(0);
    return code < 0x80 ? `#${code.toString(8).padStart(3, "0")}` : control;
  });
}

/** Whole lines, and the unfinished one that may come last. */
function expectedLines(name: RecordFormatName, frames: readonly Uint8Array[]): string[] {
  const lines = [""];
  for (const frame of frames) {
    for (let at = 0; at < frame.length;) {
      const newline = frame.indexOf(NEWLINE, at);
      const end = newline < 0 ? frame.length : newline;
      lines[lines.length - 1] += expectedText(
        name,
        frame.subarray(at, end),
        newline >= 0,
      );
      if (newline >= 0) lines.push("");
      at = end + 1;
    }
  }
  return lines;
}

function joinedLines(records: readonly ParsedRecord[]): string[] {
  const lines = [""];
  for (const { message, goesOn } of records) {
    lines[lines.length - 1] += message;
    if (!goesOn) lines.push("");
  }
  return lines;
}

function countLines(frames: readonly Uint8Array[]): number {
  return frames.reduce(
    (sum, frame) => sum + frame.filter((b) => b === NEWLINE).length,
    0,
  );
}

/** Progress counts whole records only, and all of the input in the end. */
function checkProgress(taken: readonly Taken[], frames: readonly Uint8Array[]): void {
  for (const { progress, progressBefore, total } of taken) {
    const starts = [{ bytes: 0, lines: 0 }, ...progress.slice(0, -1)];
    if (progress.length > 0) assertEquals(progressBefore, starts);
    for (const [index, { bytes }] of progress.entries()) {
      assert(bytes > starts[index]!.bytes);
    }
    if (progress.length > 0) assertEquals(progress.at(-1), total);
  }
  const bytes = taken.reduce((sum, { total }) => sum + total.bytes, 0);
  const lines = taken.reduce((sum, { total }) => sum + total.lines, 0);
  assertEquals(bytes, frames.reduce((sum, frame) => sum + frame.length, 0));
  const unfinished = frames.length > 0 && frames.at(-1)!.at(-1) !== NEWLINE;
  assertEquals(lines, countLines(frames) + (unfinished ? 1 : 0));
}

for (const name of NAMES) {
  Deno.test(`${name}: any bytes in any frames and batches come back as the lines they were`, () => {
    fc.assert(fc.property(
      anyFrames,
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: MAX_LINE_BYTES, max: MAX_LINE_BYTES + 10 }),
      (frames, maxFrames, maxLineBytes) => {
        const input = new TestInput("stdout", CAPACITY_BYTES);
        for (const [index, frame] of frames.entries()) {
          input.push(frame, START_TIME + index);
        }
        input.close();
        const taken = flush(make(name, maxLineBytes), input, { maxFrames });
        const records = parseRecords(name, taken);
        const [lines, expected] = [joinedLines(records), expectedLines(name, frames)];
        // Else nothing tells a last line that has a newline from one that has none.
        if (saysWhatGoesOn(name)) assertEquals(lines, expected);
        else assertEquals(lines.join(""), expected.join(""));
        for (const { message, stream } of records) {
          assertEquals(stream, "stdout");
          if (name === "cri") assert(message.length <= maxLineBytes);
        }
        checkProgress(taken, frames);
      },
    ));
  });

  Deno.test(`${name}: two streams keep the pieces of their lines apart`, () => {
    const [out, err] = [new TestInput("stdout"), new TestInput("stderr")];
    const format = make(name);
    const taken: Taken[] = [];
    for (
      const [input, text] of [[out, "one "], [err, "two "], [out, "1\n"], [
        err,
        "2\n",
      ]] as const
    ) {
      input.push(bytesOf(text));
      taken.push(...flush(format, input));
    }
    const records = parseRecords(name, taken);
    assertEquals(
      records.map(({ stream, message, goesOn }) => [stream, message, goesOn]),
      [
        ["stdout", "one ", true],
        ["stderr", "two ", true],
        ["stdout", "1", false],
        ["stderr", "2", false],
      ],
    );
  });

  Deno.test(`${name}: a line that is too long is cut between characters`, () => {
    const input = new TestInput("stdout");
    const line = `${"é".repeat(31)}€`.repeat(10);
    input.push(bytesOf(`${line}\n`));
    const records = parseRecords(name, flush(make(name), input));
    const text = (record: ParsedRecord) =>
      name !== "cri" ? record.message : new TextDecoder("utf-8", { fatal: true }).decode(
        Uint8Array.from(record.message, (character) => character.charCodeAt(0)),
      );
    assertEquals(records.map(text).join(""), line);
    assertEquals(
      records.map(({ goesOn }) => goesOn),
      records.map((_, i) => i < records.length - 1),
    );
    assert(records.length > 9);
  });

  Deno.test(`${name}: a line of exactly the longest length stays whole`, () => {
    const input = new TestInput("stdout");
    for (const length of [MAX_LINE_BYTES - 1, MAX_LINE_BYTES, MAX_LINE_BYTES + 1]) {
      input.push(bytesOf(`${"x".repeat(length)}\n`));
    }
    const records = parseRecords(name, flush(make(name), input));
    assertEquals(
      records.map(({ message, goesOn }) => [message.length, goesOn]),
      [[63, false], [64, false], [64, true], [1, false]],
    );
  });

  Deno.test(`${name}: a gap is a record of its own, and ends the line that it cuts`, () => {
    for (const markers of [true, false]) {
      const input = new TestInput("stderr", MIN_CAPACITY);
      const format = make(name);
      input.push(bytesOf("first piece"));
      const before = flush(format, input);
      input.push(bytesOf(", lost piece\n"));
      overwriteAll(input, MIN_CAPACITY, bytesOf("whole line\n"));
      const taken = flush(format, input, { markers });
      const [first, end, ...rest] = parseRecords(name, [...before, ...taken]);
      assertEquals([first?.message, first?.goesOn], ["first piece", true]);
      assertEquals([end?.message, end?.goesOn, end?.stream], ["", false, "stderr"]);
      const marker = markers ? rest.shift() : undefined;
      if (markers) {
        assert(/^spillway: \d+ lines \(\d+ bytes\) overwritten /.test(marker!.message));
      }
      assertEquals(marker?.goesOn ?? false, false);
      for (const { message, goesOn } of rest) {
        assertEquals([message, goesOn], ["whole line", false]);
      }
      // The marker and the end of the cut line are nobody's input.
      const lines = taken.reduce((sum, { total }) => sum + total.lines, 0);
      assertEquals(lines, rest.length);
    }
  });

  Deno.test(`${name}: a batch of the shortest lines comes in pieces of bounded size`, () => {
    const input = new TestInput("stdout", 4 * 1024 * 1024);
    const frame = new Uint8Array(64 * 1024).fill(NEWLINE);
    const frames = Array.from({ length: 4 }, () => frame);
    frames.forEach((frame) => input.push(frame));
    const taken = flush(make(name), input);
    assert(taken.length > 10);
    for (const { bytes } of taken) assert(bytes.length < 260 * 1024);
    checkProgress(taken, frames);
    assertEquals(parseRecords(name, taken).length, 4 * frame.length);
  });
}

Deno.test("progress at a record's end is what the records up to there hold", () => {
  const input = new TestInput("stdout");
  input.push(bytesOf(`one\n\n${"x".repeat(100)}\nend`));
  const taken = flush(make("cri"), input);
  const records = parseRecords("cri", taken);
  let [bytes, lines] = [0, 0];
  const expected = records.map(({ message, goesOn }) => {
    bytes += message.length + (goesOn ? 0 : 1);
    lines += goesOn ? 0 : 1;
    return { bytes, lines };
  });
  assertEquals(taken[0]?.progress, expected);
});
