import { assert, assertEquals } from "@std/assert";
import { Console, knownSize } from "../../src/report/console.ts";
import { Stderr } from "../../src/report/stderr.ts";
import { close } from "../../src/system/descriptors.ts";
import { pipe } from "../../src/system/pipes.ts";
import { readText } from "../system/text_io.ts";

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

/** How a report says how many are missing before it. */
const LEFT_OUT = {
  text: (line: string) =>
    /^spillway: (\d+) reports were left out because standard error was blocked$/
      .exec(line)?.[1],
  json: (line: string) => {
    const { event, count } = JSON.parse(line);
    return event === "reports_left_out" ? count : undefined;
  },
};

for (const style of ["text", "json"] as const) {
  Deno.test(`reports that a blocked standard error has missed are counted, as ${style}`, () => {
    const [readEnd, writeEnd] = pipe();
    const stderr = new Stderr(writeEnd);
    const reports = new Console(stderr, style, undefined, true);
    const report = (message: string) =>
      reports.report({ timeMs: 0, event: "error", message });
    const count = 300;
    for (let index = 0; index < count; index++) report("x".repeat(1000));
    let text = "";
    const readAll = () => {
      for (let part: string | number = ""; typeof part === "string";) {
        text += part;
        stderr.flush();
        part = readText(readEnd);
      }
    };
    readAll();
    report("the last");
    readAll();
    const lines = text.trimEnd().split("\n");
    assert(lines.at(-1)!.includes("the last"));
    const missing = lines.map(LEFT_OUT[style]);
    const at = missing.findIndex((count) => count !== undefined);
    assertEquals([at, Number(missing[at])], [lines.length - 2, count - lines.length + 2]);
    [readEnd, writeEnd].forEach(close);
  });
}
