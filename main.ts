/**
 * Spillway: sits between a program that writes logs into a pipe and a
 * destination that may be slow. This file is the program on the main thread, and
 * the same file is what its threads run. Each loads only what it needs.
 */

import { isMainThread } from "./src/runtime/thread.ts";

if (isMainThread) {
  const { runProgram } = await import("./src/control/program.ts");
  runProgram(new URL(import.meta.url));
} else {
  const { runThread } = await import("./src/control/run_thread.ts");
  await runThread();
}
