import { assertEquals } from "@std/assert";
import { Worker } from "node:worker_threads";
import { activityOf, threadId } from "../../src/system/process.ts";
import { until } from "../end_to_end/run.ts";

Deno.test("a thread that works is runnable, and one that waits is not and has slept", async () => {
  assertEquals(activityOf(threadId())?.isRunnable, true);
  const url = new URL("./waiting_thread.ts", import.meta.url);
  const word = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(url, { workerData: word });
  const id = await new Promise<number>((resolve) => worker.once("message", resolve));
  await until("the thread to wait", () => activityOf(id)?.isRunnable === false);
  const { sleeps } = activityOf(id)!;
  await until("the thread to have slept again", () => {
    Atomics.notify(word, 0);
    return activityOf(id)!.sleeps > sleeps;
  });
  await worker.terminate();
  assertEquals(activityOf(-1), undefined);
});
