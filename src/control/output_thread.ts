import { messageOf, OutputError, SinkClosedError } from "../errors.ts";
import { makeFormat } from "../formats/formats.ts";
import { unpackLane } from "../lane/sent_lane.ts";
import { DescriptorLoop } from "../output/descriptor_loop.ts";
import { Outlet } from "../output/outlet.ts";
import type { LabelledLane } from "../output/outlet_input.ts";
import { type LoopArrivals, OutletQueue } from "../output/outlet_queue.ts";
import { ServedLoop } from "../output/served_loop.ts";
import { SERVED } from "../output/sink.ts";
import { kindOf } from "../output/sinks.ts";
import { signal } from "../system/event_counter.ts";
import { hostName, threadId } from "../system/process.ts";
import { Board } from "../threads/board.ts";
import { Doorbell } from "../threads/doorbell.ts";
import { Gate } from "../threads/gate.ts";
import { mailIn, type OutputMail } from "./mail.ts";
import { makeFolder } from "./named_folder.ts";
import { note, type RouteEnd, say } from "./thread_messages.ts";
import type { OutletLaneStart, OutletStart, OutputStart } from "./thread_start.ts";

/** An output loop's thread, until all its outlets have ended. */
export async function runOutputThread(start: OutputStart): Promise<void> {
  const thread = new OutputThread(start);
  start.outlets.forEach((outlet) => thread.add(outlet));
  Gate.attach(start.shared.outletsReady).arrive();
  say({ kind: "outlets ready", thread: start.thread });
  await thread.run();
}

class OutputThread implements LoopArrivals {
  readonly #start: OutputStart;
  readonly #board: Board;
  readonly #queue: OutletQueue;
  readonly #loop: DescriptorLoop | ServedLoop;
  /** Of the lanes that have come so far. */
  readonly #memories: WebAssembly.Memory[];
  #over = false;

  constructor(start: OutputStart) {
    this.#start = start;
    this.#board = Board.attach(start.shared.board);
    this.#memories = [...start.memories];
    const doorbell = Doorbell.attach(start.doorbell);
    this.#queue = new OutletQueue(doorbell, start.mail && this);
    this.#loop = start.loop === SERVED
      ? new ServedLoop(doorbell, this.#queue)
      : new DescriptorLoop(doorbell, this.#queue);
  }

  async run(): Promise<void> {
    await this.#loop.run();
  }

  get over(): boolean {
    return this.#over;
  }

  take(): void {
    // Asked before looking: what was sent before it was said is there.
    const over = this.#board.readerGone;
    for (const mail of mailIn<OutputMail>(this.#start.mail!)) this.#open(mail);
    this.#over = over;
  }

  #open(mail: OutputMail): void {
    if (mail.kind === "close") {
      this.#queue.close(mail.plate);
      return;
    }
    this.#memories.push(...mail.memories);
    if (mail.kind === "outlet") this.add(mail.outlet);
    // One that has failed is not there any more, and what would go to it is not read.
    else this.#queue.at(mail.plate)?.add(this.#unpack(mail.lane));
  }

  add(outlet: OutletStart): void {
    const { route, plate } = outlet;
    try {
      this.#queue.add(plate, this.#makeOutlet(outlet), {
        onEnded: () => say({ kind: "route flushed", route }),
        onFailed: (error) => say(routeFailed(route, error)),
      });
    } catch (error) {
      say(routeFailed(route, error));
    }
  }

  #unpack({ lane, ...rest }: OutletLaneStart): LabelledLane {
    return { ...rest, lane: unpackLane(lane, this.#memories) };
  }

  /** @throws PermanentError when the destination can never work. */
  #makeOutlet({ route, slot, plan, lanes, stays }: OutletStart): Outlet {
    const { output, outputFolders, format, maxLineBytes, whenFull, markers } = plan;
    const { thread, shared: { startTime, wakeUps, run } } = this.#start;
    const board = this.#board;
    board.route(slot).thread = threadId();
    // Here, since only this thread may be kept by their disk.
    outputFolders.forEach((path) => makeFolder(path, "the output"));
    const kind = kindOf(output);
    const sink = kind.open(output, {
      onNotice: (message) => note({ event: "output_notice", message }),
      onRotationFailing: (message) => note({ event: "rotation_failing", message }),
      onRotationRecovered: (message) => note({ event: "rotation_recovered", message }),
      onPlainFiles: (files) => say({ kind: "plain files", files }),
    }, format);
    return new Outlet({
      lanes: lanes.map((lane) => this.#unpack(lane)),
      run,
      stays,
      board,
      slot,
      thread,
      sink,
      sinkEvents: {
        onSinkFailing: (message) => say({ kind: "sink failing", route, message }),
        onSinkRecovered: () => say({ kind: "sink recovered", route }),
        onReopened: () => say({ kind: "reopened", route }),
        onSinkRejecting: (message) => say({ kind: "sink rejecting", route, message }),
      },
      format: makeFormat(format, {
        maxLineBytes,
        host: hostName(),
        bare: kind.makesDocuments ?? false,
        ...(output.syslog && { syslog: output.syslog }),
      }),
      markers,
      whenFull,
      startTime,
      onRoom: () => signal(wakeUps),
      onFlushed: (found) => say({ kind: "input flushed", found }),
    });
  }
}

function routeFailed(route: number, error: unknown): RouteEnd {
  const message = messageOf(error);
  if (error instanceof SinkClosedError) {
    return { kind: "route failed", route, cause: "closed", message };
  }
  const cause = error instanceof OutputError ? "refused" : "fault";
  return { kind: "route failed", route, cause, message };
}
