import { InputError, messageOf, OutputError, SinkClosedError } from "../errors.ts";
import { initialize } from "../system/errno.ts";
import { say } from "./thread_messages.ts";
import type { ThreadStart } from "./thread_start.ts";

/**
 * The entry point, on a thread: runs until its part is done. Each part is loaded where
 * it is played: what a thread has to parse is a good part of its start.
 */
export async function runThread(start: ThreadStart): Promise<void> {
  try {
    initialize();
    switch (start.role) {
      case "reader":
        (await import("./reader_thread.ts")).runReaderThread(start);
        break;
      case "flusher":
        await (await import("./flusher_thread.ts")).runFlusherThread(start);
        break;
      case "compressor":
        (await import("./compressor_thread.ts")).runCompressorThread(start);
    }
    say({ kind: "finished" });
  } catch (error) {
    say({ kind: "failed", cause: causeOf(error), message: messageOf(error) });
  }
}

function causeOf(error: unknown): "sink closed" | "refused" | "fault" {
  if (error instanceof SinkClosedError) return "sink closed";
  return error instanceof InputError || error instanceof OutputError
    ? "refused"
    : "fault";
}
