import { assertEquals } from "@std/assert";
import { splitCommand, written } from "../../src/cli/command.ts";

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

Deno.test("of a command only its name is shown, and of many arguments the first", () => {
  const args = ["--output", "x"];
  assertEquals(written({ args, words: undefined }), "spillway --output x");
  const words = ["app", "--password", "secret"];
  assertEquals(written({ args, words }), "spillway --output x -- app");
  const many = { args: Array<string>(1000).fill("--fifo"), words };
  assertEquals(written(many).length, 1001);
});
