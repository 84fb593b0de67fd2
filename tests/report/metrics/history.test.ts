import { assertEquals } from "@std/assert";
import { StatusHistory } from "../../../src/report/metrics/history.ts";
import { CAPACITY_BYTES, inputOf, snapshot, START_MS } from "../snapshots.ts";

const ABOUT = { host: "shop-1", command: "spillway" };

Deno.test("the history has a point for each second, of each input and of all", () => {
  const history = new StatusHistory(ABOUT, 0);
  for (const second of [0, 1, 2]) {
    const bytesIn = BigInt(100 * second);
    const inputs = [
      inputOf({ bytesIn, bytesOut: bytesIn / 2n }, "a"),
      inputOf({ bytesIn, bytesOverwritten: BigInt(second) }, "b"),
    ];
    history.record(snapshot(second, inputs));
  }
  const { points, inputs, host } = history.at(START_MS);
  assertEquals(host, "shop-1");
  const [one, two] = [START_MS + 1000, START_MS + 2000];
  assertEquals(points, [[one, 200, 50, 1], [two, 200, 50, 1]]);
  assertEquals(inputs, {
    a: [[one, 100, 50, 0], [two, 100, 50, 0]],
    b: [[one, 100, 0, 1], [two, 100, 0, 1]],
  });
});

Deno.test("an input that goes and comes again between two looks is read at no less than nothing", () => {
  const history = new StatusHistory(ABOUT, 0);
  for (const bytes of [1000n, 30n]) {
    const input = inputOf({ bytesIn: bytes, bytesOut: bytes }, "a");
    history.record(snapshot(bytes === 1000n ? 1 : 2, [input]));
  }
  assertEquals(history.at(START_MS).inputs, {
    a: [[START_MS + 1000, 1000, 1000, 0], [START_MS + 2000, 30, 30, 0]],
  });
});

Deno.test("what is lost before the first look is in the history", () => {
  const history = new StatusHistory(ABOUT, 0);
  history.record(snapshot(0.5, [inputOf({ bytesIn: 50n, bytesOverwritten: 7n }, "a")]));
  const point = [START_MS + 500, 100, 0, 7];
  assertEquals(history.at(START_MS).points, [point]);
  assertEquals(history.at(START_MS).inputs, { a: [point] });
});

Deno.test("the history is bounded: two minutes, and not every one of many inputs", () => {
  const history = new StatusHistory(ABOUT, 0);
  const many = Array.from({ length: 65 }, (_, index) => inputOf({}, `${index}`));
  for (let second = 0; second < 300; second++) history.record(snapshot(second, many));
  const { points, inputs } = history.at(START_MS);
  assertEquals([points.length, inputs], [120, undefined]);
  assertEquals(points.at(-1)![0], START_MS + 299_000);
});

Deno.test("an input that was one of too many has no rate of all that it has ever read", () => {
  const history = new StatusHistory(ABOUT, 0);
  const many = Array.from(
    { length: 65 },
    (_, index) => inputOf({ bytesIn: 5000n, bytesOverwritten: 700n }, `${index}`),
  );
  const [first] = many;
  history.record(snapshot(1, many));
  history.record(snapshot(2, many.slice(0, 64)));
  history.record(
    snapshot(3, [{ ...first!, bytesIn: 5010n }, inputOf({ bytesIn: 7n }, "new")]),
  );
  assertEquals(history.at(START_MS).inputs, {
    "0": [[START_MS + 3000, 10, 0, 0]],
    new: [[START_MS + 3000, 7, 0, 0]],
  });
});

Deno.test("while nothing happens the history goes on, and looks at no input", () => {
  const history = new StatusHistory(ABOUT, 0);
  const counted = { bytesIn: 100n, bytesOut: 100n };
  history.record(snapshot(1, [inputOf(counted, "a")]));
  assertEquals(history.settled, true);
  for (const second of [2, 3]) history.rest((second - 1) * 1000);
  history.record(snapshot(4, [inputOf({ ...counted, bytesIn: 150n }, "a")]));
  const points = [[1, 100, 100], [2, 0, 0], [3, 0, 0], [4, 50, 0]].map((
    [second, bytesIn, bytesOut],
  ) => [START_MS + second! * 1000, bytesIn, bytesOut, 0]);
  assertEquals(history.at(START_MS).points, points);
  assertEquals(history.at(START_MS).inputs, { a: points });
});

Deno.test("a loss that comes after a rest did not begin before its end", () => {
  const history = new StatusHistory(ABOUT, 0);
  const losing = (lines: bigint) =>
    inputOf({ linesOverwritten: lines, bytesOverwritten: lines * 10n }, "a");
  history.record(snapshot(1, [losing(0n)]));
  history.rest(59_000);
  history.record(snapshot(61, [losing(1n)]));
  assertEquals(history.at(START_MS).last_loss?.since, "2026-11-22T10:01:00.000Z");
  assertEquals(history.settled, false);
});

Deno.test("when the clock is set, all points and the last loss move with it", () => {
  const history = new StatusHistory(ABOUT, 0);
  for (const second of [1, 2, 3]) {
    // Before the third look an hour is taken back.
    const setBy = second < 3 ? 0 : -3_600_000;
    const lost = second < 2 ? 0n : 7n;
    const input = inputOf({
      bytesIn: 100n,
      linesOverwritten: lost,
      bytesOverwritten: lost,
    });
    const seen = snapshot(second, [input]);
    history.record({
      ...seen,
      timeMs: seen.timeMs + setBy,
      startMs: seen.startMs + setBy,
    });
  }
  const startMs = START_MS - 3_600_000;
  const { points, last_loss } = history.at(startMs);
  assertEquals(points, [
    [startMs + 1000, 100, 0, 0],
    [startMs + 2000, 0, 0, 7],
    [startMs + 3000, 0, 0, 0],
  ]);
  assertEquals(last_loss?.since, "2026-11-22T09:00:01.000Z");
  assertEquals(last_loss?.until, "2026-11-22T09:00:02.000Z");
});

Deno.test("the last loss is as of the last second while it goes on", () => {
  const history = new StatusHistory(ABOUT, 0);
  for (let second = 1; second <= 5; second++) {
    const lost = BigInt(second - 1);
    const counts = { linesOverwritten: lost, bytesOverwritten: 10n * lost };
    history.record(snapshot(second, [inputOf(counts)]));
  }
  const { lines, bytes, since, until } = history.at(START_MS).last_loss!;
  assertEquals([lines, bytes], [4, 40]);
  assertEquals([since, until].map((time) => (Date.parse(time) - START_MS) / 1000), [
    1,
    5,
  ]);
});

Deno.test("no capacity is said to hold what the output has refused", () => {
  const history = new StatusHistory(ABOUT, 0);
  for (let second = 0; second < 15; second++) {
    const lost = second < 1 ? 0n : 3n;
    const input = inputOf({ linesRejected: lost, bytesRejected: lost });
    history.record(snapshot(second, [input]));
  }
  const lastLoss = history.at(START_MS).last_loss!;
  assertEquals([lastLoss.lines, lastLoss.capacity_needed_bytes], [3, undefined]);
});

Deno.test("the last loss has the capacity that would have held it, once that is known", () => {
  const history = new StatusHistory(ABOUT, 0);
  const losing = (lines: bigint) =>
    inputOf({
      linesOverwritten: lines,
      bytesOverwritten: lines * 10n,
      shortfall: { totalBytes: 5000, beforeBurstBytes: 0 },
    }, "a");
  history.record(snapshot(0, [inputOf({}, "a")]));
  assertEquals(history.at(START_MS).last_loss, undefined);
  history.record(snapshot(1, [losing(7n)]));
  assertEquals(history.at(START_MS).last_loss?.capacity_needed_bytes, undefined);
  for (let second = 2; second < 15; second++) {
    history.record(snapshot(second, [losing(9n)]));
  }
  const last = history.at(START_MS).last_loss;
  assertEquals([last?.input, last?.lines, last?.bytes], ["a", 9, 90]);
  assertEquals(last?.capacity_needed_bytes, CAPACITY_BYTES + 5000);
});
