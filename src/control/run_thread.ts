import { InputError, messageOf, OutputError, SinkFailure } from "../errors.ts";
import { runReader } from "../input/reader.ts";
import { compressAll } from "../output/file/compressor.ts";
import { RotatedFiles } from "../output/file/rotated_files.ts";
import { initialize } from "../system/errno.ts";
import { Board } from "../threads/board.ts";
import { Doorbell, type DoorbellMemory } from "../threads/doorbell.ts";
import { Gate } from "../threads/gate.ts";
import { runOutput } from "./output_thread.ts";
import {
  type CompressorStart,
  note,
  type ReaderStart,
  say,
  type ThreadStart,
} from "./thread.ts";

/** The entry point, on a thread: runs until its part is done. */
export async function runThread(start: ThreadStart): Promise<void> {
  try {
    initialize();
    switch (start.role) {
      case "reader":
        startReader(start);
        break;
      case "output":
        await runOutput(start);
        break;
      case "compressor":
        startCompressor(start);
    }
    say({ kind: "finished" });
  } catch (error) {
    const refused = error instanceof InputError || error instanceof OutputError;
    const cause = refused ? "refused" : "fault";
    say({ kind: "failed", cause, message: messageOf(error) });
  }
}

function startReader({ shared, settings, lanes }: ReaderStart): void {
  const doorbells = new Map<DoorbellMemory, Doorbell>();
  const bellOf = (memory: DoorbellMemory) => {
    const bell = doorbells.get(memory) ?? Doorbell.attach(memory);
    doorbells.set(memory, bell);
    return bell;
  };
  runReader({
    settings,
    lanes: lanes.map(({ doorbell, plate, ...lane }) => {
      const bell = bellOf(doorbell);
      return { ...lane, ring: () => bell.ring(plate) };
    }),
    board: Board.attach(shared.board),
    wakeUps: shared.wakeUps,
    outletsReady: Gate.attach(shared.outletsReady),
    onReading: () => say({ kind: "reading" }),
    onBusy: () => say({ kind: "busy" }),
    onLoss: () => say({ kind: "loss" }),
    onInputFailed: (message) => say({ kind: "input failed", message }),
    onInputNotice: (input, message) => note({ event: "input_notice", input, message }),
    onFifoMade: (path) => say({ kind: "FIFO made", path }),
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
