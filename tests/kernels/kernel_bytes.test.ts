import { assertEquals } from "@std/assert";
import { ASSEMBLED, assembleKernels } from "./assemble.ts";

Deno.test("the kernels' bytes are those of their text", async () => {
  assertEquals(
    await Deno.readTextFile(ASSEMBLED),
    await assembleKernels(),
    "run `deno task kernels`",
  );
});
