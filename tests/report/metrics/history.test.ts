import { assertEquals } from "@std/assert";
import { StatusHistory } from "../../../src/report/metrics/history.ts";
import { CAPACITY_BYTES, inputOf, snapshot, START_MS } from "../snapshots.ts";

const ABOUT = { host: "shop-1", command: "spillway" };

Deno.test("the history has a point for each second, of each input and of all", () => {
  const history = new StatusHistory(ABOUT, START_MS);
  for (const second of [0, 1, 2]) {
    const bytesIn = BigInt(100 * second);
    const inputs = [
      inputOf({ bytesIn, bytesOut: bytesIn / 2n }, "a"),
      inputOf({ bytesIn, bytesOverwritten: BigInt(second) }, "b"),
    ];
    history.record(snapshot(second, inputs));
  }
  const { points, inputs, host } = history.now();
  assertEquals(host, "shop-1");
  const [one, two] = [START_MS + 1000, START_MS + 2000];
  assertEquals(points, [[one, 200, 50, 1], [two, 200, 50, 1]]);
  assertEquals(inputs, {
    a: [[one, 100, 50, 0], [two, 100, 50, 0]],
    b: [[one, 100, 0, 1], [two, 100, 0, 1]],
  });
});

Deno.test("an input that goes and comes again between two looks is read at no less than nothing", () => {
  const history = new StatusHistory(ABOUT, START_MS);
  for (const bytes of [1000n, 30n]) {
    const input = inputOf({ bytesIn: bytes, bytesOut: bytes }, "a");
    history.record(snapshot(bytes === 1000n ? 1 : 2, [input]));
  }
  assertEquals(history.now().inputs, {
    a: [[START_MS + 1000, 1000, 1000, 0], [START_MS + 2000, 30, 30, 0]],
  });
});

Deno.test("what is lost before the first look is in the history", () => {
  const history = new StatusHistory(ABOUT, START_MS);
  history.record(snapshot(0.5, [inputOf({ bytesIn: 50n, bytesOverwritten: 7n }, "a")]));
  const point = [START_MS + 500, 100, 0, 7];
  assertEquals(history.now().points, [point]);
  assertEquals(history.now().inputs, { a: [point] });
});

Deno.test("the history is bounded: two minutes, and not every one of many inputs", () => {
  const history = new StatusHistory(ABOUT, START_MS);
  const many = Array.from({ length: 65 }, (_, index) => inputOf({}, `${index}`));
  for (let second = 0; second < 300; second++) history.record(snapshot(second, many));
  const { points, inputs } = history.now();
  assertEquals([points.length, inputs], [120, undefined]);
  assertEquals(points.at(-1)![0], START_MS + 299_000);
});

Deno.test("while nothing happens the history goes on, and looks at no input", () => {
  const history = new StatusHistory(ABOUT, START_MS);
  const counted = { bytesIn: 100n, bytesOut: 100n };
  history.record(snapshot(1, [inputOf(counted, "a")]));
  assertEquals(history.settled, true);
  for (const second of [2, 3]) history.rest(START_MS + second * 1000);
  history.record(snapshot(4, [inputOf({ ...counted, bytesIn: 150n }, "a")]));
  const points = [[1, 100, 100], [2, 0, 0], [3, 0, 0], [4, 50, 0]].map((
    [second, bytesIn, bytesOut],
  ) => [START_MS + second! * 1000, bytesIn, bytesOut, 0]);
  assertEquals(history.now().points, points);
  assertEquals(history.now().inputs, { a: points });
});

Deno.test("a loss that comes after a rest did not begin before its end", () => {
  const history = new StatusHistory(ABOUT, START_MS);
  const losing = (lines: bigint) =>
    inputOf({ linesOverwritten: lines, bytesOverwritten: lines * 10n }, "a");
  history.record(snapshot(1, [losing(0n)]));
  history.rest(START_MS + 60_000);
  history.record(snapshot(61, [losing(1n)]));
  assertEquals(history.now().last_loss?.since, "2026-11-22T10:01:00.000Z");
  assertEquals(history.settled, false);
});

Deno.test("a clock that is set back makes no point", () => {
  const history = new StatusHistory(ABOUT, START_MS);
  for (const second of [10, 11, 5, 6]) {
    history.record(snapshot(second, [inputOf({ bytesIn: 100n })]));
  }
  assertEquals(history.now().points.map(([timeMs]) => timeMs), [
    START_MS + 10_000,
    START_MS + 11_000,
    START_MS + 6000,
  ]);
});

Deno.test("the last loss has the capacity that would have held it, once that is known", () => {
  const history = new StatusHistory(ABOUT, START_MS);
  const losing = (lines: bigint) =>
    inputOf({
      linesOverwritten: lines,
      bytesOverwritten: lines * 10n,
      shortfall: { totalBytes: 5000, beforeBurstBytes: 0 },
    }, "a");
  history.record(snapshot(0, [inputOf({}, "a")]));
  assertEquals(history.now().last_loss, undefined);
  history.record(snapshot(1, [losing(7n)]));
  assertEquals(history.now().last_loss?.capacity_needed_bytes, undefined);
  for (let second = 2; second < 15; second++) {
    history.record(snapshot(second, [losing(9n)]));
  }
  const last = history.now().last_loss;
  assertEquals([last?.input, last?.lines, last?.bytes], ["a", 9, 90]);
  assertEquals(last?.capacity_needed_bytes, CAPACITY_BYTES + 5000);
});
