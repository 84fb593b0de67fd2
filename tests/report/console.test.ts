import { assertEquals } from "@std/assert";
import { knownSize } from "../../src/report/console.ts";

const SIZES: readonly (readonly [string, Parameters<typeof knownSize>[0], string])[] = [
  ["says its size", { columns: 132, rows: 50 }, "132×50"],
  ["knows only its columns, as a serial line may", { columns: 132, rows: 0 }, "132×24"],
  ["knows only its rows", { columns: 0, rows: 50 }, "80×50"],
  ["knows nothing", { columns: 0, rows: 0 }, "80×24"],
  ["is none", -25, "80×24"],
];

for (const [terminal, found, size] of SIZES) {
  Deno.test(`a terminal that ${terminal} is taken for one of ${size}`, () => {
    const { columns, rows } = knownSize(found);
    assertEquals(`${columns}×${rows}`, size);
  });
}
