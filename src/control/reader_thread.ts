import { runReader } from "../input/reader.ts";
import { unpackLane } from "../lane/sent_lane.ts";
import { Board } from "../threads/board.ts";
import { Doorbell, type DoorbellMemory } from "../threads/doorbell.ts";
import { Gate } from "../threads/gate.ts";
import { note, say } from "./thread_messages.ts";
import type { ReaderStart } from "./thread_start.ts";

export function runReaderThread(start: ReaderStart): void {
  const { shared, settings, memories } = start;
  const doorbells = new Map<DoorbellMemory, Doorbell>();
  const doorbellAt = (memory: DoorbellMemory) => {
    const doorbell = doorbells.get(memory) ?? Doorbell.attach(memory);
    doorbells.set(memory, doorbell);
    return doorbell;
  };
  runReader({
    settings,
    lanes: start.lanes.map(({ lane, doorbell: memory, plate, ...rest }) => {
      const doorbell = doorbellAt(memory);
      const ring = () => doorbell.ring(plate);
      return { ...rest, lane: unpackLane(lane, memories), ring };
    }),
    board: Board.attach(shared.board),
    wakeUps: shared.wakeUps,
    outletsReady: Gate.attach(shared.outletsReady),
    onReading: () => say({ kind: "reading" }),
    onBusy: () => say({ kind: "busy" }),
    onLoss: () => say({ kind: "loss" }),
    onInputFailed: (message) => say({ kind: "input failed", message }),
    onInputNotice: (input, message) => note({ event: "input_notice", input, message }),
  });
}
