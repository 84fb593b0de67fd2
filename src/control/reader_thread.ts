import type { Answer, NewcomersContext } from "../input/newcomers.ts";
import { runReader } from "../input/reader.ts";
import type { ReaderLane } from "../input/reader_lane.ts";
import { unpackLane } from "../lane/sent_lane.ts";
import { Board } from "../threads/board.ts";
import { Doorbell, type DoorbellMemory } from "../threads/doorbell.ts";
import { Gate } from "../threads/gate.ts";
import { mailIn, type ReaderMail } from "./mail.ts";
import { note, say } from "./thread_messages.ts";
import type { ReaderLaneStart, ReaderStart } from "./thread_start.ts";

export function runReaderThread(start: ReaderStart): void {
  const { shared, settings } = start;
  const lanes = new ReaderLanes(start.memories);
  runReader({
    settings,
    lanes: start.lanes.map((lane) => lanes.unpack(lane)),
    newcomers: newcomersOf(start, lanes),
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

/** What lanes have in common, once in this thread. */
class ReaderLanes {
  readonly #memories: WebAssembly.Memory[];
  /** By their counters, since each message makes new objects of what it holds. */
  readonly #doorbells = new Map<number, Doorbell>();

  constructor(memories: readonly WebAssembly.Memory[]) {
    this.#memories = [...memories];
  }

  unpack({ lane, doorbell: memory, plate, ...rest }: ReaderLaneStart): ReaderLane {
    const doorbell = this.#doorbellAt(memory);
    const ring = () => doorbell.ring(plate);
    return { ...rest, lane: unpackLane(lane, this.#memories), ring };
  }

  addMemories(memories: readonly WebAssembly.Memory[]): void {
    this.#memories.push(...memories);
  }

  #doorbellAt(memory: DoorbellMemory): Doorbell {
    const doorbell = this.#doorbells.get(memory.counter) ?? Doorbell.attach(memory);
    this.#doorbells.set(memory.counter, doorbell);
    return doorbell;
  }
}

function newcomersOf(
  { newcomers, mail }: ReaderStart,
  lanes: ReaderLanes,
): NewcomersContext | undefined {
  if (newcomers === undefined || mail === undefined) return undefined;
  return {
    ...newcomers,
    answers: () => answersIn(mail, lanes),
    onFound: (fifos) => say({ kind: "fifos found", fifos }),
    onLetGo: (found) => say({ kind: "input let go", found }),
    onNotice: (input, message) => note({ event: "input_notice", input, message }),
  };
}

function* answersIn(mail: MessagePort, lanes: ReaderLanes): Generator<Answer> {
  for (const answer of mailIn<ReaderMail>(mail)) {
    if (answer.kind === "memories") lanes.addMemories(answer.memories);
    else if (answer.kind === "lane") yield { ...answer, lane: lanes.unpack(answer.lane) };
    else yield answer;
  }
}
