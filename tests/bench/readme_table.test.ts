import { assertEquals } from "@std/assert";
import { withTable } from "./readme_table.ts";

const END = "<!-- end of what was measured -->";

function block(processor: string, table: string): string {
  return `<!-- measured by: deno task bench, on ${processor} -->\n${table}${END}`;
}

Deno.test("a table replaces that of the same processor, and comes after those of others", () => {
  const first = `before\n\n${block("A", "old\n")}\n\nafter\n`;
  const both = withTable(first, "B", "b\n");
  assertEquals(
    both,
    `before\n\n${block("A", "old\n")}\n\n${block("B", "b\n")}\n\nafter\n`,
  );
  assertEquals(withTable(both, "A", "new\n"), both.replace("old", "new"));
});
