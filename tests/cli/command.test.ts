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

Deno.test("of a URL the query is not shown, in which a key may be", () => {
  const shown = (...args: string[]) => written({ args, words: undefined });
  assertEquals(
    shown("--output", "https://logs.example/v1?key=s3cret&x=1", "--report", "json"),
    "spillway --output https://logs.example/v1 --report json",
  );
  assertEquals(
    shown("--output=http://h:9200/in?s3cret?s3cret#gzip=on&timeout=1s"),
    "spillway --output=http://h:9200/in#gzip=on&timeout=1s",
  );
  assertEquals(
    shown("--output", "udp://h:514?tag=a"),
    "spillway --output udp://h:514?tag=a",
  );
});
