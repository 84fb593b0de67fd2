import { assertEquals } from "@std/assert";
import { chartOf } from "../../../src/report/page/chart.ts";

const NOW = 1_000_000;
const at = (secondsAgo: number) => NOW - secondsAgo * 1000;

Deno.test("a chart has the newest second at its right edge, and losses above it", () => {
  const chart = chartOf(
    [[at(120), 50, 0, 0], [at(60), 100, 25, 7], [at(0), 0, 0, 0]],
    NOW,
  );
  assertEquals(chart, {
    area: "M0 100L0 56L60 12L120 100L120 100Z",
    in: "M0 56L60 12L120 100",
    out: "M0 100L60 78L120 100",
    lost: "M59 0h1v8h-1z",
    topPerSecond: 100,
  });
});

Deno.test("a chart leaves out what is older than two minutes", () => {
  const old = chartOf([[at(121), 900, 900, 900]], NOW);
  assertEquals(old, { area: "", in: "", out: "", lost: "", topPerSecond: 0 });
  assertEquals(chartOf([], NOW), old);
});

Deno.test("a chart of nothing is a flat line, whose peak is nothing", () => {
  const { in: came, topPerSecond } = chartOf([[at(1), 0, 0, 0], [at(0), 0, 0, 0]], NOW);
  assertEquals([came, topPerSecond], ["M119 100L120 100", 0]);
});
