import { assertEquals } from "@std/assert";
import { testExecutables } from "./programs.ts";

const LOCK = new URL("../../deno.lock", import.meta.url);

testExecutables("carries no package beside what is bundled", async ({ command }) => {
  const { npm } = JSON.parse(await Deno.readTextFile(LOCK));
  // It looks for all of them at once.
  const grep = new Deno.Command("grep", {
    args: ["--text", "--only-matching", "--fixed-strings", "--file=-", command[0]!],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = grep.stdin.getWriter();
  await writer.write(new TextEncoder().encode(Object.keys(npm).join("\n")));
  await writer.close();
  const { code, stdout } = await grep.output();
  assertEquals([code, new TextDecoder().decode(stdout)], [NOTHING_FOUND, ""]);
});

/** grep(1) */
const NOTHING_FOUND = 1;
