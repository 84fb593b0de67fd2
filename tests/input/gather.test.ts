import { assertEquals } from "@std/assert";
import { Gather, type GatheredInput } from "../../src/input/gather.ts";

const LITTLE = { bytesRead: 4096, sparse: true };
const MUCH = { bytesRead: 65_536, sparse: false };
const NOTHING = { bytesRead: 0, sparse: true };

/** Reads, each at its time in ms, and after which of them the thread naps. */
const CASES: readonly (readonly [
  string,
  readonly (readonly [number, ...GatheredInput[]])[],
  readonly number[],
])[] = [
  ["a line that comes alone", [[0, LITTLE]], []],
  ["lines that come slowly", [[0, LITTLE], [1, LITTLE], [2, LITTLE]], []],
  ["many small writes", [[0, LITTLE], [0.01, LITTLE], [0.15, LITTLE]], [0.01, 0.15]],
  ["a pipe that fills fast", [[0, MUCH], [0.01, MUCH], [0.02, MUCH]], []],
  ["one of two that fills fast", [[0, LITTLE, MUCH], [0.01, LITTLE, MUCH]], []],
  ["small writes beside a quiet one", [[0, LITTLE], [0.01, NOTHING, LITTLE]], [0.01]],
  ["no read at all", [[0, NOTHING], [0.01, NOTHING]], []],
];

for (const [what, reads, expected] of CASES) {
  Deno.test(`naps while small writes gather: ${what}`, () => {
    const naps: number[] = [];
    let nowMs = 0;
    const gather = new Gather(() => naps.push(nowMs));
    for (const [atMs, ...found] of reads) {
      nowMs = atMs;
      gather.afterRead(found, atMs);
    }
    assertEquals(naps, expected);
  });
}
