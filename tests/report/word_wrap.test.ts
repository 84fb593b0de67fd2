import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { wrapWords } from "../../src/report/word_wrap.ts";

const WRAPPED: readonly (readonly [string, number, string])[] = [
  ["", 5, ""],
  ["one two", 7, "one two"],
  ["one two", 6, "one\ntwo"],
  ["one two three", 7, "one two\nthree"],
  ["a longest b", 4, "a\nlongest\nb"],
  ["longest b", 4, "longest\nb"],
  ["日本 語 a", 6, "日本\n語 a"],
  ["日本 語 a", 7, "日本 語\na"],
  ["cafe\u0301 au", 7, "cafe\u0301 au"],
  ["one two\nthree four", 5, "one\ntwo\nthree\nfour"],
];

for (const [text, columns, expected] of WRAPPED) {
  Deno.test(`"${text}" in ${columns} columns breaks between words`, () => {
    assertEquals(wrapWords(text, columns), expected);
  });
}

Deno.test("words are kept, and lines are as wide as allowed or one word", () => {
  const words = fc.array(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1 });
  fc.assert(fc.property(words, fc.integer({ min: 1, max: 30 }), (words, columns) => {
    const lines = wrapWords(words.join(" "), columns).split("\n");
    assertEquals(lines.join(" "), words.join(" "));
    for (const line of lines) assert(line.length <= columns || !line.includes(" "), line);
  }));
});
