/** Reads an output beside its input: every byte of the input is there, or told missing. */

import { assert, assertEquals } from "@std/assert";

const MARKER = /spillway: (\d+) lines? \((\d+) bytes\) \w+ between \S+ and \S+\n/g;

export interface Told {
  readonly bytes: number;
  readonly missingLines: number;
  readonly missingBytes: number;
  /** How far the output has come in the input. */
  readonly inputAt: number;
}

/** Lines that end in a part of the input; its last one ends with it. */
function linesIn(input: string, from: number, to: number): number {
  const newlines = input.slice(from, to).split("\n").length - 1;
  const endsOpen = to === input.length && to > 0 && input[to - 1] !== "\n" &&
    from < to;
  return newlines + (endsOpen ? 1 : 0);
}

/** @param input of letters that no marker begins with */
export function readBeside(input: string, output: string): Told {
  let [at, bytes, missingLines, missingBytes, from] = [0, 0, 0, 0, 0];
  const compare = (text: string) => {
    let length = text.length;
    // The newline before a marker may be there only for the marker.
    if (input.slice(at, at + length) !== text && text.endsWith("\n")) length--;
    assertEquals(input.slice(at, at + length), text.slice(0, length));
    at += length;
    bytes += length;
  };
  for (const marker of output.matchAll(MARKER)) {
    compare(output.slice(from, marker.index));
    from = marker.index + marker[0].length;
    const [lines, lost] = [Number(marker[1]), Number(marker[2])];
    assert(at + lost <= input.length, "a gap reaches past the input");
    assertEquals(lines, linesIn(input, at, at + lost), marker[0]);
    at += lost;
    missingLines += lines;
    missingBytes += lost;
    assert(
      at === input.length || input[at - 1] === "\n",
      "after a gap comes a whole line",
    );
  }
  compare(output.slice(from));
  return { bytes, missingLines, missingBytes, inputAt: at };
}
