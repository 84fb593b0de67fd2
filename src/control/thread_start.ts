/**
 * The threads beside the control thread: what they are given when they start, and how
 * they are started. The program's entry point calls itself again as a thread, so that
 * it stays one file where it has to.
 */

import type { InputSpec } from "../input/input_spec.ts";
import type { NewcomersContext } from "../input/newcomers.ts";
import type { ReaderSettings } from "../input/reader.ts";
import type { FullPolicy } from "../lane/ring_producer.ts";
import type { SentLane } from "../lane/sent_lane.ts";
import type { RoutePlan } from "../plan.ts";
import { startThread } from "../runtime/thread.ts";
import type { DoorbellMemory } from "../threads/doorbell.ts";
import type { ThreadMessage } from "./thread_messages.ts";

/** Everything a thread needs, in a form that can be sent to it. */
export type ThreadStart = ReaderStart | OutputStart | CompressorStart;

/** What the threads of the data path share. */
export interface Shared {
  readonly board: WebAssembly.Memory;
  /** The counter that wakes the reader. */
  readonly wakeUps: number;
  readonly outletsReady: SharedArrayBuffer;
  /** In microseconds since 1970. */
  readonly startTime: number;
  /** See `FormatSettings`. */
  readonly run: string;
}

export interface ReaderStart {
  readonly role: "reader";
  /** Where folders are read. */
  readonly newcomers: NewcomersStart | undefined;
  /** Where what comes is said while it runs; see mail.ts. */
  readonly mail: MessagePort | undefined;
  readonly shared: Shared;
  readonly settings: ReaderSettings;
  readonly memories: readonly WebAssembly.Memory[];
  readonly lanes: readonly ReaderLaneStart[];
}

export type NewcomersStart = Pick<
  NewcomersContext,
  "folders" | "maxInputs" | "limitedBy" | "labels"
>;

/** One input, and whom to call when something has come. */
export interface ReaderLaneStart {
  readonly input: InputSpec;
  readonly lane: SentLane;
  readonly maxLineBytes: number;
  readonly whenFull: FullPolicy;
  readonly route: number;
  readonly doorbell: DoorbellMemory;
  readonly plate: number;
}

/** An output loop, and its first outlets. */
export interface OutputStart {
  readonly role: "output";
  /** As the reader's; undefined where nothing comes. */
  readonly mail: MessagePort | undefined;
  readonly shared: Shared;
  /** See `SinkKind.loop`. */
  readonly loop: string;
  /** Its number on the board. */
  readonly thread: number;
  readonly doorbell: DoorbellMemory;
  readonly memories: readonly WebAssembly.Memory[];
  readonly outlets: readonly OutletStart[];
}

export interface OutletStart {
  readonly route: number;
  /** Where its words are on the board. */
  readonly slot: number;
  readonly plate: number;
  readonly plan: Pick<
    RoutePlan,
    "output" | "outputFolders" | "format" | "maxLineBytes" | "whenFull" | "markers"
  >;
  readonly lanes: readonly OutletLaneStart[];
  /** See `OutletContext.stays`. */
  readonly stays: boolean;
}

export interface OutletLaneStart {
  readonly label: string;
  /** See `LabelledLane`. */
  readonly run?: string | undefined;
  readonly lane: SentLane;
  /** Of the input, where it was found in a folder; see `FoundFifo`. */
  readonly found: number | undefined;
}

/** Started when there is something to compress for the first time. */
export interface CompressorStart {
  readonly role: "compressor";
  /** A `RotatedFilesSpec` each time that there are files to be compressed. */
  readonly mail: MessagePort;
}

/** What a thread's starter hears of it. */
interface ThreadEvents {
  onMessage(message: ThreadMessage): void;
  /** It has ended without having said so. */
  onDeath(why: string): void;
}

/** @param program the entry point's own URL */
export function startRole(
  program: URL,
  start: ThreadStart,
  { onMessage, onDeath }: ThreadEvents,
): void {
  const mail = "mail" in start && start.mail ? [start.mail] : [];
  startThread<ThreadMessage>(program, start, mail, {
    onMessage: (message) => {
      onMessage(message);
      return message.kind === "finished" || message.kind === "failed";
    },
    onDeath,
  });
}
