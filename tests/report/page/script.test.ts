import { assertEquals } from "@std/assert";
import { BUNDLED, bundleScript } from "./bundle_script.ts";

Deno.test("the page's script is made from its source", async () => {
  assertEquals(
    await Deno.readTextFile(BUNDLED),
    await bundleScript(),
    "run `deno task page`",
  );
});
