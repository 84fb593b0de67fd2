import { assert, assertEquals } from "@std/assert";
import { processUsage } from "../../src/system/process_usage.ts";

Deno.test("what this process uses is what /proc says of it", () => {
  const before = processUsage();
  const file = Deno.openSync("/dev/null");
  // More than a tick of work, and memory that is written to.
  const bytes = new Uint8Array(64 * 1024 * 1024).fill(1);
  const untilMs = performance.now() + 50;
  while (performance.now() < untilMs);
  const after = processUsage();
  assert(after.cpuSeconds > before.cpuSeconds);
  assert(after.residentBytes - before.residentBytes >= bytes.length / 2);
  assert(after.virtualBytes > after.residentBytes);
  if (before.openFiles !== undefined) assertEquals(after.openFiles, before.openFiles + 1);
  assert(after.maxOpenFiles >= (after.openFiles ?? 0));
  file.close();
});
