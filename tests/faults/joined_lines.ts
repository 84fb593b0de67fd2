/** What runs that went on after one another have written together. */

import { assert, assertEquals } from "@std/assert";
import { MARKER, numberedLines } from "../end_to_end/numbered_lines.ts";

/** What was written to each input: lines that carry their number. */
export interface Written {
  readonly lines: number;
  readonly lineBytes: number;
  /** Lines may be missing, where a marker says so. */
  readonly overwrites: boolean;
}

/** What may have come again because a run was ended while it was being written. */
export interface Repeats {
  /** So often. */
  readonly times: number;
  /** So much of the input each time. */
  readonly bytes: number;
}

export const NO_REPEATS: Repeats = { times: 0, bytes: 0 };

/** One line of them, without its newline. */
export function lineOf({ lineBytes }: Written, number: number): string {
  return numberedLines(number, 1, lineBytes).slice(0, -1);
}

/**
 * Checks that every line is there, in order, or a marker that says how many are missing.
 *
 * @param lines without their newlines
 */
export function checkLines(
  lines: Iterable<string>,
  written: Written,
  repeats = NO_REPEATS,
): void {
  const { lineBytes } = written;
  /** By the line that comes after a marker, what it has said to be missing. */
  const gaps = new Map<number, number>();
  let [expected, missing, times] = [0, 0, 0];
  for (const line of lines) {
    const marker = MARKER.exec(line);
    if (marker !== null) {
      assert(written.overwrites, line);
      assertEquals(Number(marker[2]), Number(marker[1]) * lineBytes, line);
      // A batch that comes again begins with its marker.
      if (missing > 0) times++;
      assert([0, Number(marker[1])].includes(missing), "two markers in one place");
      missing = Number(marker[1]);
      continue;
    }
    const number = Number(/^(\d+) /.exec(line)?.[1]);
    const comesAgain = number < expected + missing;
    if (comesAgain) {
      times++;
      const again = (expected - number) * lineBytes;
      assert(again <= repeats.bytes, `${again} bytes come again at ${shown(line)}`);
    } else {
      assertEquals(number, expected + missing, shown(line));
    }
    if (missing > 0) {
      if (comesAgain) assertEquals(missing, gaps.get(number), "a marker changes");
      gaps.set(number, missing);
      missing = 0;
    }
    if (line !== lineOf(written, number)) assertEquals(line, lineOf(written, number));
    expected = number + 1;
  }
  assert(times <= repeats.times, `lines come again ${times} times`);
  assertEquals(expected + missing, written.lines);
}

function shown(line: string): string {
  return line.slice(0, 100);
}

/**
 * Checks what runs have written that had a pipe each: each goes on where the last one
 * was, wherever in a line that is, or a write before that.
 */
export function checkSegments(
  segments: readonly string[],
  { lines, lineBytes }: Written,
  repeats: Repeats,
): void {
  const input = numberedLines(0, lines, lineBytes);
  let end = 0;
  for (const segment of segments) {
    if (segment === "") continue;
    const from = positionOf(segment, lineBytes);
    assert(from <= end, `${end - from} bytes are missing before ${from}`);
    assert(end - from <= repeats.bytes, `${end - from} bytes come again`);
    assert(input.startsWith(segment, from), `not what was written from ${from} on`);
    end = Math.max(end, from + segment.length);
  }
  assertEquals(end, input.length);
}

/** Where in the input it begins: after its first newline a number says so. */
function positionOf(segment: string, lineBytes: number): number {
  const newline = segment.indexOf("\n");
  const next = /^\d+ /.exec(segment.slice(newline + 1))?.[0];
  if (next !== undefined) return Number(next) * lineBytes - newline - 1;
  const only = /^(\d+) /.exec(segment)?.[1];
  assert(only !== undefined, `nothing says where this begins: ${segment}`);
  return Number(only) * lineBytes;
}
