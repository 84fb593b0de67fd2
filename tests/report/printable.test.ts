import { assertEquals } from "@std/assert";
import { printable } from "../../src/report/printable.ts";

const CASES = [
  ["plain é😀", "plain é😀"],
  ["a\nb\tc\0", "a\\x0ab\\x09c\\x00"],
  ["\x1b[2J\x7f\x9b", "\\x1b[2J\\x7f\\x9b"],
  ["\u2028\u2029\u202e\u2066", "\\u2028\\u2029\\u202e\\u2066"],
  ["\u200e\u200f\u061c", "\\u200e\\u200f\\u061c"],
  ["\u00ad\u200b\ufeff\u{e0041}", "\\xad\\u200b\\ufeff\\u{e0041}"],
] as const;

for (const [text, shown] of CASES) {
  Deno.test(`a terminal is shown ${shown}`, () => assertEquals(printable(text), shown));
}
