import { assertEquals } from "@std/assert";
import { nameOf } from "../../src/containerd/container.ts";

Deno.test("a report's name for a container stays on one line", () => {
  assertEquals(nameOf({ id: "web-1", namespace: "k8s.io" }), "k8s.io/web-1");
  assertEquals(nameOf({ id: "a\nb", namespace: ".." }), "%2E%2E/a%0Ab");
});
