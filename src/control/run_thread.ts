import { InputError, messageOf, OutputError } from "../errors.ts";
import { threadStart } from "../runtime/thread.ts";
import { initialize } from "../system/errno.ts";
import { say } from "./thread_messages.ts";
import type { ThreadStart } from "./thread_start.ts";

/**
 * The entry point, on a thread: runs until its part is done. Each part is loaded where
 * it is played: what a thread has to parse is a good part of its start.
 */
export async function runThread(): Promise<void> {
  try {
    const start = await threadStart<ThreadStart>();
    initialize();
    switch (start.role) {
      case "reader":
        (await import("./reader_thread.ts")).runReaderThread(start);
        break;
      case "output":
        await (await import("./output_thread.ts")).runOutputThread(start);
        break;
      case "compressor":
        await (await import("./compressor_thread.ts")).runCompressorThread(start);
    }
    say({ kind: "finished" });
  } catch (error) {
    const refused = error instanceof InputError || error instanceof OutputError;
    const cause = refused ? "refused" : "fault";
    say({ kind: "failed", cause, message: messageOf(error) });
  }
}
