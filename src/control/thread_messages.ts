import { parentPort } from "node:worker_threads";
import type { RotatedFilesSpec } from "../output/file/rotated_files.ts";
import type { Notice } from "../report/events.ts";

/**
 * What a thread says to the control thread. Rare by construction: nothing of this is
 * said per line, per batch or per write.
 */
export type ThreadMessage =
  /** The reader reads, and the flusher takes what is read. */
  | { readonly kind: "reading" }
  /** Something has come in while the control thread rested. */
  | { readonly kind: "busy" }
  | { readonly kind: "loss" }
  | { readonly kind: "notice"; readonly notice: Notice }
  | { readonly kind: "input failed"; readonly message: string }
  | { readonly kind: "sink failing"; readonly message: string }
  | { readonly kind: "sink recovered" }
  /** The output was opened again, or that has failed and is reported. */
  | { readonly kind: "reopened" }
  | { readonly kind: "plain files"; readonly files: RotatedFilesSpec }
  /** The thread has done all it had to do. */
  | { readonly kind: "finished" }
  /** It has to end before that. A fault is one of this program. */
  | {
    readonly kind: "failed";
    readonly cause: "sink closed" | "refused" | "fault";
    readonly message: string;
  };

/** Tells the control thread. */
export function say(message: ThreadMessage): void {
  parentPort!.postMessage(message);
}

/** Tells people, through the control thread. */
export function note(notice: Notice): void {
  say({ kind: "notice", notice });
}
