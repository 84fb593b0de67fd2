/**
 * The threads beside the control thread: what they are given when they
 * start, what they may say, and how they run. The program's entry point calls
 * itself again as a thread, so that it stays one file in every kind of package.
 */

import { parentPort, Worker } from "node:worker_threads";
import type { Options } from "../cli/options.ts";
import {
  InputError,
  messageOf,
  OutputError,
  SinkClosedError,
  SinkFailure,
} from "../errors.ts";
import { makeFormat } from "../formats/formats.ts";
import { runReader } from "../input/reader.ts";
import { Delivery } from "../output/delivery.ts";
import { compressAll } from "../output/file/compressor.ts";
import { RotatedFiles, type RotatedFilesSpec } from "../output/file/rotated_files.ts";
import { DescriptorLoop } from "../output/descriptor_loop.ts";
import { Outlet } from "../output/outlet.ts";
import { ServedLoop } from "../output/served_loop.ts";
import { SERVED } from "../output/sink.ts";
import { kindOf, loopOf, openSink } from "../output/sinks.ts";
import { Doorbell, type DoorbellMemory } from "../threads/doorbell.ts";
import { Gate } from "../threads/gate.ts";
import { write } from "../system/descriptors.ts";
import { initialize } from "../system/errno.ts";
import { addressOf } from "../system/memory.ts";
import { hostName } from "../system/process.ts";
import { Board } from "../threads/board.ts";
import type { Notice } from "../report/events.ts";
import type { RingMemory } from "../lane/ring_memory.ts";

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

/** Rare by construction: nothing of this is said per line, per batch or per write. */
export type ThreadMessage =
  /** The reader reads, and the flusher takes what is read. */
  | { readonly kind: "reading" }
  /** Something has come in while the control thread rested. */
  | { readonly kind: "busy" }
  | { readonly kind: "loss" }
  | { readonly kind: "notice"; readonly notice: Notice }
  | { readonly kind: "input failed"; readonly message: string }
  /** It was missing, and is to be removed at exit. */
  | { readonly kind: "FIFO made"; readonly path: string }
  | { readonly kind: "sink failing"; readonly message: string }
  | { readonly kind: "sink recovered" }
  | { readonly kind: "plain files"; readonly files: RotatedFilesSpec }
  /** The thread has done all it had to do. */
  | { readonly kind: "finished" }
  /** It has to end before that. A fault is one of this program. */
  | {
    readonly kind: "failed";
    readonly cause: "sink closed" | "refused" | "fault";
    readonly message: string;
  };

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

/** The entry point, on a thread: runs until its part is done. */
export async function runThread(start: ThreadStart): Promise<void> {
  try {
    initialize();
    switch (start.role) {
      case "reader":
        startReader(start);
        break;
      case "flusher":
        await startFlusher(start);
        break;
      case "compressor":
        startCompressor(start);
    }
    say({ kind: "finished" });
  } catch (error) {
    say({ kind: "failed", cause: causeOf(error), message: messageOf(error) });
  }
}

/** Tells the control thread. */
function say(message: ThreadMessage): void {
  parentPort!.postMessage(message);
}

/** Tells people, through the control thread. */
function note(notice: Notice): void {
  say({ kind: "notice", notice });
}

function causeOf(error: unknown): "sink closed" | "refused" | "fault" {
  if (error instanceof SinkClosedError) return "sink closed";
  return error instanceof InputError || error instanceof OutputError
    ? "refused"
    : "fault";
}

function startReader(start: DataThreadStart): void {
  runReader({
    options: start.options,
    rings: start.rings,
    board: Board.attach(start.board),
    doorbell: Doorbell.attach(start.doorbell),
    flusherReady: Gate.attach(start.flusherReady),
    wakeDescriptor: start.wakePipe[0],
    onReading: () => say({ kind: "reading" }),
    onBusy: () => say({ kind: "busy" }),
    onLoss: () => say({ kind: "loss" }),
    onInputFailed: (message) => say({ kind: "input failed", message }),
    onInputNotice: (input, message) => note({ event: "input_notice", input, message }),
    onFifoMade: (path) => say({ kind: "FIFO made", path }),
  });
}

async function startFlusher(start: DataThreadStart): Promise<void> {
  const { options } = start;
  const doorbell = Doorbell.attach(start.doorbell);
  const loop = loopOf(options.output) === SERVED
    ? new ServedLoop(doorbell)
    : new DescriptorLoop(doorbell);
  let failure: unknown;
  loop.add(openOutlet(start), {
    onEnded: () => {},
    onFailed: (error) => failure = error,
  });
  Gate.attach(start.flusherReady).open();
  await loop.run();
  if (failure !== undefined) throw failure;
}

function openOutlet(start: DataThreadStart): Outlet {
  const { options } = start;
  const board = Board.attach(start.board);
  const sink = openSink(options.output, {
    onRotationFailing: (message) => note({ event: "rotation_failing", message }),
    onRotationRecovered: (message) => note({ event: "rotation_recovered", message }),
    onPlainFiles: (files) => say({ kind: "plain files", files }),
  }, options.format);
  return new Outlet({
    labels: options.inputs.map((input) => input.label),
    rings: start.rings,
    board,
    delivery: new Delivery(sink, board, {
      onSinkFailing: (message) => say({ kind: "sink failing", message }),
      onSinkRecovered: () => say({ kind: "sink recovered" }),
      onSinkRejecting: (message) => note({ event: "sink_rejecting", message }),
    }),
    format: makeFormat(options.format, {
      maxLineBytes: options.maxLineBytes,
      startTime: start.startTime,
      host: hostName(),
      bare: kindOf(options.output).makesDocuments ?? false,
      ...(options.output.syslog && { syslog: options.output.syslog }),
    }),
    markers: options.markers,
    gapReason: options.whenFull === "overwrite" ? "overwritten" : "dropped",
    startTime: start.startTime,
    onRoom: () => wakeReader(start.wakePipe),
  });
}

function startCompressor({ files }: CompressorStart): void {
  try {
    compressAll(new RotatedFiles(files));
  } catch (error) {
    if (!(error instanceof SinkFailure)) throw error;
    note({ event: "rotation_failing", message: error.message });
  }
}

const WAKE_UP = new Uint8Array(1);

/** Makes the reader look at the board and the rings. Any thread. */
export function wakeReader(wakePipe: readonly [number, number]): void {
  // A full pipe wakes the reader just as well.
  write(wakePipe[1], addressOf(WAKE_UP), 1);
}
