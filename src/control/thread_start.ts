/**
 * The threads beside the control thread: what they are given when they start, and how
 * they are started. The program's entry point calls itself again as a thread, so that
 * it stays one file where it has to.
 */

import { Worker } from "node:worker_threads";
import type { Options } from "../cli/options.ts";
import { messageOf } from "../errors.ts";
import type { RingMemory } from "../lane/ring_memory.ts";
import type { RotatedFilesSpec } from "../output/file/rotated_files.ts";
import type { DoorbellMemory } from "../threads/doorbell.ts";
import type { ThreadMessage } from "./thread_messages.ts";

export type Role = "reader" | "flusher" | "compressor";

/** Everything a thread needs, in a form that can be sent to it. */
export type ThreadStart = DataThreadStart | CompressorStart;

/** The two that run from the start to the end. */
export interface DataThreadStart {
  readonly role: "reader" | "flusher";
  readonly options: Options;
  readonly rings: readonly RingMemory[];
  readonly board: WebAssembly.Memory;
  readonly doorbell: DoorbellMemory;
  readonly flusherReady: SharedArrayBuffer;
  /** The pipe that wakes the reader: its read end and its write end. */
  readonly wakePipe: readonly [number, number];
  /** In microseconds since 1970. */
  readonly startTime: number;
}

/** Runs only when there is something to compress. */
export interface CompressorStart {
  readonly role: "compressor";
  readonly files: RotatedFilesSpec;
}

/** What a thread's starter is told. */
export interface ThreadEvents {
  onMessage(message: ThreadMessage): void;
  /** It has ended without having said so. */
  onDeath(why: string): void;
}

/** @param program the entry point's own URL */
export function startThread(
  program: URL,
  start: ThreadStart,
  events: ThreadEvents,
): void {
  const thread = new Worker(program, { workerData: start });
  let ended = false;
  thread.on("message", (message: ThreadMessage) => {
    if (message.kind === "finished" || message.kind === "failed") ended = true;
    events.onMessage(message);
  });
  thread.on("error", (error: unknown) => {
    ended = true;
    events.onDeath(messageOf(error));
  });
  thread.on("exit", () => {
    if (!ended) events.onDeath("it ended without a word");
  });
}
