import { assertEquals, assertNotEquals } from "@std/assert";
import { MUTANTS } from "./mutants.ts";

const ROOT = new URL("../../", import.meta.url);

for (const { file, from, to } of MUTANTS) {
  const shown = from.trim().split("\n")[0]!;
  Deno.test(`the mutant of ${file} can be made: ${shown} → ${to.trim().slice(0, 60)}`, async () => {
    const source = await Deno.readTextFile(new URL(file, ROOT));
    assertEquals(source.split(from).length - 1, 1, "the text is there once");
    assertNotEquals(from, to);
  });
}
