import { assert, assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import type { InputState, OutputState } from "../../src/report/events.ts";
import { renderMeter } from "../../src/report/meter.ts";
import { CAPACITY_BYTES, inputOf, snapshot, START_MS } from "./snapshots.ts";

const plain = { rows: 24, colour: false };
const FLOWING = {
  bytesBuffered: BigInt(CAPACITY_BYTES / 4),
  inBytesPerSecond: 120e6,
  outBytesPerSecond: 30e6,
};
const LOSING = {
  ...FLOWING,
  bytesBuffered: BigInt(CAPACITY_BYTES),
  linesOverwritten: 12345n,
};
const STALL = { takesNothingSinceMs: START_MS + 6800 };

/** What one input's meter looks like; `|` marks where it ends. */
const FRAMES: readonly (readonly [string, number, Partial<InputState>, string])[] = [
  ["flows", 40, FLOWING, "██░░░░░░  25%  120M→30MB/s   lost 0|"],
  [
    "flows",
    80,
    FLOWING,
    "████▎░░░░░░░░░░░░  25%  in █████  120 MB/s  out █▎      30 MB/s  lost 0|",
  ],
  [
    "flows",
    200,
    FLOWING,
    "███████████████░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░  25% of 16MiB  in ██████████  120 MB/s  out ██▌          30 MB/s  lost 0 lines|",
  ],
  ["stalls", 40, LOSING, "████████ 100%  120M→stalled  lost 12.3k|"],
  [
    "stalls",
    80,
    LOSING,
    "█████████████████ 100%  in █████  120 MB/s  out stalled 3.2 s    lost 12,345|",
  ],
  [
    "stalls",
    200,
    LOSING,
    "████████████████████████████████████████████████████████████ 100% of 16MiB  in ██████████  120 MB/s  out stalled 3.2 s         lost 12,345 lines|",
  ],
];

for (const [state, columns, input, frame] of FRAMES) {
  Deno.test(`the meter of an output that ${state}, ${columns} columns wide`, () => {
    const output = state === "stalls" ? STALL : {};
    const seen = snapshot(10, [inputOf(input)], output);
    const [line] = renderMeter(seen, { ...plain, columns });
    assertEquals(`${line}|`, frame);
  });
}

Deno.test("several inputs have a line each, and one for all of them", () => {
  const seen = snapshot(10, [
    inputOf(FLOWING, "app"),
    inputOf({}, "an-extremely-long-name"),
  ]);
  assertEquals(renderMeter(seen, { ...plain, columns: 90 }), [
    "app              ██▌░░░░░░░  25%  in █████  120 MB/s  out █▎      30 MB/s  lost 0",
    "an-extremely-lo… ░░░░░░░░░░   0%  in           0 B/s  out           0 B/s  lost 0",
    "all              █▎░░░░░░░░  12%  in █████  120 MB/s  out █▎      30 MB/s  lost 0",
  ]);
});

Deno.test("before any input has come to a folder the meter is empty", () => {
  for (const columns of [40, 80, 120]) {
    const [all, ...others] = renderMeter(snapshot(1, []), { ...plain, columns });
    assertEquals(others, []);
    assertMatch(all!, /^░+ {3}0% /);
  }
});

Deno.test("from 40 columns on a line says all of it, with its units", () => {
  const fast = { inBytesPerSecond: 1.23e6, outBytesPerSecond: 9.99e12 };
  const worst = inputOf(
    { ...LOSING, ...fast, linesOverwritten: 2n ** 60n },
    "a-label-longer-than-others",
  );
  const seen = (output: Partial<OutputState>) => snapshot(10, [worst, worst], output);
  for (let columns = 40; columns <= 200; columns++) {
    for (const line of renderMeter(seen({}), { ...plain, columns }).slice(0, 2)) {
      assertMatch(
        line,
        /100%.*1\.23 ?M.*9\.99 ?TB\/s.*lost \d+\.?\d*[A-Z]/,
        `${columns}`,
      );
    }
    for (const line of renderMeter(seen(STALL), { ...plain, columns }).slice(0, 2)) {
      assertMatch(line, /100%.*1\.23 ?M.*stalled.*lost \d+\.?\d*[A-Z]/, `${columns}`);
    }
  }
});

Deno.test("more inputs than the screen has lines leave room for their sum", () => {
  const inputs = Array.from({ length: 64 }, (_, index) => inputOf({}, `in${index}`));
  const lines = renderMeter(snapshot(1, inputs), {
    rows: 10,
    columns: 80,
    colour: false,
  });
  assertEquals(lines.length, 9);
  assert(lines.at(-1)!.startsWith("all 64 "));
});

Deno.test("of more inputs than the screen has lines the worst are shown, in their order", () => {
  const inputs = Array.from({ length: 1000 }, (_, index) => {
    if (index === 700) return inputOf({ bytesBuffered: BigInt(CAPACITY_BYTES) }, "full");
    if (index === 900) return inputOf({ linesDropped: 1n, bytesDropped: 1n }, "lost");
    return inputOf(index === 300 ? { inBytesPerSecond: 9 } : {}, `in${index}`);
  });
  const lines = renderMeter(snapshot(1, inputs), { rows: 5, columns: 80, colour: false });
  const labels = lines.map((line) => line.split(" ")[0]);
  assertEquals(labels, ["in300", "full", "lost", "all"]);
});

Deno.test("a ring is shown as full only when it is", () => {
  const almost = inputOf({ bytesBuffered: BigInt(CAPACITY_BYTES - 1) });
  const [line] = renderMeter(snapshot(1, [almost]), { ...plain, columns: 80 });
  assert(line!.includes(" 99%"));
});

const states = fc.record({
  bytesBuffered: fc.bigInt(0n, 2n ** 40n),
  inBytesPerSecond: fc.double({ min: 0, max: 1e16, noNaN: true }),
  outBytesPerSecond: fc.double({ min: 0, max: 1e16, noNaN: true }),
  linesOverwritten: fc.bigInt(0n, 2n ** 60n),
});
const looks = fc.record({ columns: fc.nat(250), rows: fc.nat(40), colour: fc.boolean() });

Deno.test("no line is as wide as the terminal, whatever it shows", () => {
  fc.assert(fc.property(
    fc.array(states, { minLength: 1, maxLength: 5 }),
    looks,
    fc.option(fc.nat(10 ** 9)),
    (inputs, look, stalledMs) => {
      const seen = snapshot(
        10 ** 7,
        inputs.map((state, index) => inputOf(state, `input-${index}`)),
        stalledMs === null
          ? {}
          : { takesNothingSinceMs: START_MS + 10 ** 10 - stalledMs },
      );
      for (const line of renderMeter(seen, look)) {
        // deno-lint-ignore no-control-regex
        const visible = line.replaceAll(/\x1b\[\d+m/g, "");
        assert(!visible.includes("\x1b"));
        assert(visible.length <= Math.max(0, look.columns - 1), visible);
        assertEquals(look.colour || line === visible, true);
      }
    },
  ));
});
