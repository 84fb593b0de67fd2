/** What must be true of the output of a run that was stopped at any moment. */

import { assert, assertEquals } from "@std/assert";
import { checkConservation, numberedLines } from "../end_to_end/numbered_lines.ts";
import type { Report } from "../end_to_end/run.ts";

const MARKER =
  /^spillway: (\d+) lines? \((\d+) bytes\) (overwritten|dropped) between (\S+) and (\S+)$/;
const MARKER_START = "spillway: ";

/** What came out, apart from markers. */
interface Seen {
  lines: number;
  bytes: number;
  /** Where in the input the output ends. */
  readonly inputAt: number;
}

/**
 * Follows numbered lines of `lineBytes` each through the output. Only the very last
 * may be cut: the output took no more of it, or the input ended within it.
 */
function follow(output: Uint8Array, lineBytes: number): Seen {
  const lines = new TextDecoder().decode(output).split("\n");
  const rest = lines.pop()!;
  let [seenLines, bytes, at] = [0, 0, 0];
  for (const line of lines) {
    const marker = MARKER.exec(line);
    if (marker !== null) {
      const [lost, lostBytes] = [Number(marker[1]), Number(marker[2])];
      assert(lost > 0, line);
      assertEquals(Math.ceil((at + lostBytes) / lineBytes) - at / lineBytes, lost, line);
      at += lostBytes;
      continue;
    }
    assertEquals(at % lineBytes, 0);
    assertEquals(line, numberedLines(at / lineBytes, 1, lineBytes).slice(0, -1));
    seenLines++;
    bytes += lineBytes;
    at += lineBytes;
  }
  const cutMarker = rest.startsWith(MARKER_START) ||
    (rest !== "" && MARKER_START.startsWith(rest));
  if (!cutMarker) {
    const line = numberedLines(at / lineBytes, 1, lineBytes);
    assertEquals(rest, line.slice(0, rest.length));
    bytes += rest.length;
    at += rest.length;
  }
  return { lines: seenLines, bytes, inputAt: at };
}

/** Checks the output of a run that has ended against what its summary says. */
export function checkCutOutput(
  output: Uint8Array,
  summary: Report,
  exitCode: number,
  lineBytes: number,
): void {
  checkConservation(summary);
  const seen = follow(output, lineBytes);
  const count = (name: string) => Number(summary[name]);
  assertEquals(seen.bytes, count("bytes_out"), "bytes_out is what has come out");
  assert(seen.inputAt <= count("bytes_in"), "nothing comes out that did not come in");
  assertEquals(count("lines_in"), Math.ceil(count("bytes_in") / lineBytes));
  const endsInside = seen.bytes % lineBytes !== 0;
  const flushed = count("lines_unflushed") === 0 && count("bytes_unflushed") === 0;
  assertEquals(exitCode, flushed ? 0 : 4);
  assertEquals(seen.lines + (flushed && endsInside ? 1 : 0), count("lines_out"));
  if (!flushed) return;
  // What was dropped last has a marker after all lines, which may have come too late.
  const late = count("bytes_in") - seen.inputAt;
  assert(late <= count("bytes_dropped"), `${late} bytes are not accounted for`);
}
