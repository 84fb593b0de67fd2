import { assertEquals } from "@std/assert";
import { jobIn } from "../../src/system/job.ts";

Deno.test("a job is read whatever its program is called", () => {
  const rest = "S 10 20 30 34817 40 4194304";
  for (const name of ["sh", "a b", "a) R 1 2 3 (b", ""]) {
    assertEquals(jobIn(`25 (${name}) ${rest}`), {
      group: 20,
      isSessionLeader: false,
      foreground: 40,
    });
  }
});

Deno.test("a session leader without a terminal has no foreground", () => {
  assertEquals(jobIn("30 (init) S 0 30 30 0 -1 4194304"), {
    group: 30,
    isSessionLeader: true,
    foreground: undefined,
  });
});
