import { runReader } from "../input/reader.ts";
import { Board } from "../threads/board.ts";
import { Doorbell } from "../threads/doorbell.ts";
import { Gate } from "../threads/gate.ts";
import { note, say } from "./thread_messages.ts";
import type { DataThreadStart } from "./thread_start.ts";

export function runReaderThread(start: DataThreadStart): void {
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
  });
}
