import { assert, assertEquals, assertMatch } from "@std/assert";

Deno.test("the demonstration shows a write that waits, and counts every line", async () => {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "demo"],
    cwd: new URL("../../", import.meta.url),
  }).output();
  const text = new TextDecoder().decode(stdout);
  assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
  assertMatch(text, /^ {2}128 KiB +BLOCKED, \d+\.\d s /m);
  assertMatch(text, /^ {2}spillway: \d+ lines \(\d+ bytes\) overwritten between /m);
  assertMatch(text, /lines came out \+ \d+ in the marker = 400000 written/);
  assert(!text.includes("\x1b"), "it has colours only on a terminal");
});
