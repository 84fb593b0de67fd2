/** Lines that carry their number, and what must be true of those that come out. */

import { assert, assertEquals } from "@std/assert";
import type { Report } from "./run.ts";

/** A gap marker: the lines and bytes that are missing, and since and until when. */
export const MARKER =
  /^spillway: (\d+) lines? \((\d+) bytes\) (overwritten|dropped|damaged) between (\S+) and (\S+)$/;

/** Lines from `first` on, each `length` bytes long with its newline. */
export function numberedLines(first: number, count: number, length = 100): string {
  let text = "";
  for (let number = first; number < first + count; number++) {
    text += `${number} `.padEnd(length - 1, "x") + "\n";
  }
  return text;
}

export interface Seen {
  /** Lines that came out. */
  readonly lines: number;
  readonly lostLines: number;
  readonly lostBytes: number;
  readonly markers: number;
}

/**
 * Checks that the output is whole numbered lines in order, and that wherever one
 * is missing a marker says exactly how many.
 */
export function checkNumberedLines(output: Uint8Array, length = 100): Seen {
  const text = new TextDecoder().decode(output);
  assert(text === "" || text.endsWith("\n"), "the output ends inside a line");
  let expected = 0;
  let lines = 0;
  let [lostLines, lostBytes, markers] = [0, 0, 0];
  for (const line of text.split("\n").slice(0, -1)) {
    const marker = MARKER.exec(line);
    if (marker !== null) {
      expected += Number(marker[1]);
      lostLines += Number(marker[1]);
      lostBytes += Number(marker[2]);
      markers++;
      assertEquals(Number(marker[2]), Number(marker[1]) * length);
      assert(Date.parse(marker[4]!) <= Date.parse(marker[5]!), line);
      continue;
    }
    assertEquals(line, numberedLines(expected, 1, length).slice(0, -1));
    expected++;
    lines++;
  }
  return { lines, lostLines, lostBytes, markers };
}

/** Checks that every line and byte that came in is accounted for. */
export function checkConservation(counts: Report): void {
  for (const unit of ["lines", "bytes"]) {
    const of = (name: string) => Number(counts[`${unit}_${name}`]);
    assertEquals(
      of("in"),
      of("out") + of("overwritten") + of("dropped") + of("rejected") + of("unflushed"),
      `${unit} are not conserved: ${JSON.stringify(counts)}`,
    );
  }
  for (const input of counts.inputs ?? []) checkConservation(input);
}
