import { assertEquals } from "@std/assert";
import { splitCommand } from "../../src/cli/command.ts";

Deno.test("without -- all arguments are this program's", () => {
  for (const args of [[], ["--output", "x"], ["-", "a"]]) {
    assertEquals(splitCommand(args), { args, words: undefined });
  }
});

Deno.test("the first -- parts them from the command", () => {
  assertEquals(splitCommand(["--"]), { args: [], words: [] });
  assertEquals(splitCommand(["--", "app"]), { args: [], words: ["app"] });
  assertEquals(splitCommand(["--output", "x", "--", "app", "--output", "--", "-h"]), {
    args: ["--output", "x"],
    words: ["app", "--output", "--", "-h"],
  });
});

Deno.test("a flag does not take -- for its value", () => {
  assertEquals(splitCommand(["--output", "--", "app"]).args, ["--output"]);
});
