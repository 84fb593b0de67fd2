import { assert } from "@std/assert";
import { processUsage } from "../../src/system/process_usage.ts";
import { until } from "../end_to_end/run.ts";

const FILES = "/proc/self/fd";

Deno.test("what this process uses is what /proc says of it", async () => {
  const before = processUsage();
  // More than a tick of work, and memory that is written to.
  const bytes = new Uint8Array(64 * 1024 * 1024).fill(1);
  const untilMs = performance.now() + 50;
  while (performance.now() < untilMs);
  const after = processUsage();
  assert(after.cpuSeconds > before.cpuSeconds);
  assert(after.residentBytes - before.residentBytes >= bytes.length / 2);
  assert(after.virtualBytes > after.residentBytes);
  assert(after.maxOpenFiles >= (after.openFiles ?? 0));
  // Other tests in this process open and close files at the same time.
  await until("the same number of open files", () => {
    const { openFiles } = processUsage();
    // One of those that are listed is the list's own.
    const listed = [...Deno.readDirSync(FILES)].length - 1;
    return openFiles === undefined || openFiles === listed;
  });
});
