import { assert } from "@std/assert";
import { processUsage } from "../../src/system/process_usage.ts";
import { until } from "../end_to_end/run.ts";

const FILES = "/proc/self/fd";

Deno.test("what this process uses is what /proc says of it", async () => {
  const before = processUsage();
  await until("processor time", () => processUsage().cpuSeconds > before.cpuSeconds);
  assert(before.virtualBytes > before.residentBytes);
  assert(before.maxOpenFiles >= (before.openFiles ?? 0));
  // Other tests in this process take and free memory, and files, at the same time.
  await until("the resident memory that the runtime tells", () => {
    const { rss } = Deno.memoryUsage();
    return Math.abs(processUsage().residentBytes - rss) < rss / 100;
  });
  await until("the same number of open files", () => {
    const { openFiles } = processUsage();
    // One of those that are listed is the list's own.
    const listed = [...Deno.readDirSync(FILES)].length - 1;
    return openFiles === undefined || openFiles === listed;
  });
});
