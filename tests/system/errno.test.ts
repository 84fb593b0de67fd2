import { assertEquals, assertMatch } from "@std/assert";
import { constants } from "node:os";
import { describeError } from "../../src/system/errno.ts";

const { ENOENT, EPIPE } = constants.errno;

Deno.test("error numbers are described in words and by name", () => {
  assertEquals(describeError(ENOENT), "No such file or directory (ENOENT)");
  assertEquals(describeError(EPIPE), "Broken pipe (EPIPE)");
  assertMatch(describeError(99_999), /^.+ \(99999\)$/);
});
