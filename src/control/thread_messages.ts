import type { FoundFifo } from "../input/newcomers.ts";
import type { RotatedFilesSpec } from "../output/file/rotated_files.ts";
import type { Notice } from "../report/events.ts";
import { tellStarter } from "../runtime/thread.ts";

/**
 * What a thread says to the control thread. Rare by construction: nothing of this is
 * said per line, per batch or per write.
 */
export type ThreadMessage =
  /** The reader reads, and the outlets take what is read. */
  | { readonly kind: "reading" }
  /** Something has come in while the control thread rested. */
  | { readonly kind: "busy" }
  | { readonly kind: "loss" }
  | { readonly kind: "notice"; readonly notice: Notice }
  | { readonly kind: "input failed"; readonly message: string }
  /** A lane is asked for each; see `Arrivals`. */
  | { readonly kind: "fifos found"; readonly fifos: readonly FoundFifo[] }
  /** Nothing more is read of what was found. */
  | { readonly kind: "input let go"; readonly found: number }
  /** All that was read of it has arrived. */
  | { readonly kind: "input flushed"; readonly found: number }
  /** An output loop takes what is read. */
  | { readonly kind: "outlets ready"; readonly thread: number }
  | { readonly kind: "sink failing"; readonly route: number; readonly message: string }
  | { readonly kind: "sink recovered"; readonly route: number }
  /** The output was opened again, or that has failed and is reported. */
  | { readonly kind: "reopened"; readonly route: number }
  | { readonly kind: "sink rejecting"; readonly route: number; readonly message: string }
  | { readonly kind: "plain files"; readonly files: RotatedFilesSpec }
  /** Of the files that were sent to it, the compressor has none left to compress. */
  | { readonly kind: "compressed" }
  | RouteEnd
  /** The thread has done all it had to do. */
  | { readonly kind: "finished" }
  /** It has to end before that. A fault is one of this program. */
  | {
    readonly kind: "failed";
    readonly cause: "refused" | "fault";
    readonly message: string;
  };

/** Nothing more is written to the output of a route. */
export type RouteEnd =
  /** All has been written. */
  | { readonly kind: "route flushed"; readonly route: number }
  | {
    readonly kind: "route failed";
    readonly route: number;
    /** "closed" by whoever read it; "refused" for good; a "fault" is one of this program. */
    readonly cause: "closed" | "refused" | "fault";
    readonly message: string;
  };

/** Tells the control thread. Any other. */
export function say(message: ThreadMessage): void {
  tellStarter(message);
}

/** Tells people, through the control thread. */
export function note(notice: Notice): void {
  say({ kind: "notice", notice });
}
