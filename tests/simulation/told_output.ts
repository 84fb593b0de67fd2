/** Reads an output beside its input: every byte of the input is there, or told missing. */

import { assert, assertEquals } from "@std/assert";

const MARKER = /spillway: (\d+) lines? \((\d+) bytes\) (\w+) between \S+ and \S+\n/g;

export interface Told {
  readonly bytes: number;
  readonly missingLines: number;
  readonly missingBytes: number;
  /** What markers call rejected. */
  readonly rejectedBytes: number;
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

/** Says where two long texts begin to differ. */
function assertSame(text: string, expected: string, at: number): void {
  if (text === expected) return;
  let same = 0;
  while (text[same] === expected[same]) same++;
  const [from, to] = [Math.max(0, same - 20), same + 40];
  assertEquals(text.slice(from, to), expected.slice(from, to), `byte ${at + same}`);
}

/** A gap that begins there in the input, has its lines, and ends where a line begins. */
function isGap(input: string, at: number, lines: number, bytes: number): boolean {
  const end = at + bytes;
  return lines === linesIn(input, at, end) &&
    (end === input.length || (end < input.length && input[end - 1] === "\n"));
}

/** @param input of letters that no marker begins with */
export function readBeside(input: string, output: string): Told {
  let [at, bytes, missingLines, missingBytes, from] = [0, 0, 0, 0, 0];
  let rejectedBytes = 0;
  const take = (text: string) => {
    assertSame(text, input.slice(at, at + text.length), at);
    at += text.length;
    bytes += text.length;
  };
  for (const marker of output.matchAll(MARKER)) {
    const text = output.slice(from, marker.index);
    from = marker.index + marker[0].length;
    const [lines, lost] = [Number(marker[1]), Number(marker[2])];
    if (marker[3] === "rejected") {
      // What was refused is beside the input as if it had been taken.
      const ended = text.endsWith("\n") && input[at + text.length - 1] !== "\n";
      take(ended ? text.slice(0, -1) : text);
      rejectedBytes += lost;
      continue;
    }
    // The newline before a marker may be there only for the marker.
    const cut = text.endsWith("\n") && (input[at + text.length - 1] !== "\n" ||
      !isGap(input, at + text.length, lines, lost));
    take(cut ? text.slice(0, -1) : text);
    assert(isGap(input, at, lines, lost), `byte ${at} of the input: ${marker[0]}`);
    at += lost;
    missingLines += lines;
    missingBytes += lost;
  }
  take(output.slice(from));
  return { bytes, missingLines, missingBytes, inputAt: at, rejectedBytes };
}
