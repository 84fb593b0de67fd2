import { read } from "../platform/posix/descriptors.ts";
import { addressOf } from "../platform/posix/memory.ts";
import { POLLIN, PollSet } from "../platform/posix/poll.ts";
import type { Doorbell } from "../platform/doorbell.ts";
import type { Gate } from "../platform/gate.ts";
import type { Board } from "../report/board.ts";
import type { RingMemory } from "../ring/ring_memory.ts";
import { type FullPolicy, RingProducer } from "../ring/ring_producer.ts";
import { InputError } from "../errors.ts";
import { GiveWay } from "./give_way.ts";
import { InputLoop } from "./input_loop.ts";
import { LineFramer } from "./line_framer.ts";
import { type InputSpec, PipeSource } from "./pipe_source.ts";

export interface ReaderOptions {
  readonly inputs: readonly InputSpec[];
  readonly pipeSizeBytes: number;
  readonly maxLineBytes: number;
  readonly whenFull: FullPolicy;
  /** End when the last writer of a named pipe closes it. */
  readonly once: boolean;
  /** Make a named pipe again that was removed. */
  readonly create: boolean;
}

export interface ReaderContext {
  readonly options: ReaderOptions;
  /** One for each input. */
  readonly rings: readonly RingMemory[];
  readonly board: Board;
  readonly doorbell: Doorbell;
  /** Opened when the flusher can take what is read. */
  readonly flusherReady: Gate;
  /** A pipe end that becomes readable when there is room again or a stop is wanted. */
  readonly wakeDescriptor: number;
  /** From now on everything is read. */
  onReading(): void;
  /** Something has come in, and the control thread rests. */
  onBusy(): void;
  /** Lines have been lost, and the control thread does not know it yet. */
  onLoss(): void;
  /** One input failed for good; the others go on. */
  onInputFailed(message: string): void;
  /** A person should know, but the input goes on. */
  onInputNotice(label: string, message: string): void;
  onFifoMade(path: string): void;
}

/**
 * The reader thread: waits in poll(2) for all inputs at once, reads what is
 * there, and pushes it into the rings, until all inputs have ended. It waits for
 * nothing else, so that no writer ever waits for the destination.
 *
 * @throws InputError when an input cannot be opened.
 */
export function runReader(context: ReaderContext): void {
  const { options, board } = context;
  const inputs = options.inputs.map((spec, index) => openInput(context, spec, index));
  // What is read before the flusher can take it may overrun the ring.
  context.flusherReady.pass();
  const giveWay = new GiveWay(inputs, board);
  const poll = new PollSet(inputs.length + 1);
  const wakeSlot = inputs.length;
  poll.watch(wakeSlot, context.wakeDescriptor, POLLIN);
  context.onReading();
  while (!allEnded(inputs)) {
    for (let slot = 0; slot < inputs.length; slot++) {
      const input = inputs[slot]!;
      poll.watch(slot, input.wantsInput ? input.source.descriptor : -1, POLLIN);
    }
    poll.wait(timeoutMs(inputs));
    board.beginStep("reader");
    const nowMs = performance.now();
    if (poll.ready(wakeSlot) !== 0) drainWakeUps(context.wakeDescriptor);
    const stopping = board.stopRequested;
    for (let slot = 0; slot < inputs.length; slot++) {
      const input = inputs[slot]!;
      if (input.ended) continue;
      try {
        input.serve(poll.ready(slot) !== 0, stopping, nowMs);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        context.onInputFailed(error.message);
        input.finish();
      }
    }
    board.endStep("reader");
    if (anyNews(inputs)) {
      context.doorbell.ring();
      if (board.endRest()) context.onBusy();
    }
    giveWay.afterRead();
  }
}

// Loops instead of closures from here on: they run for every read, and garbage in
// this thread is a pause for the writer.

function allEnded(inputs: readonly InputLoop[]): boolean {
  for (const input of inputs) {
    if (!input.ended) return false;
  }
  return true;
}

/** A look at the names of FIFOs, for one, is nothing that others must wake for. */
function anyNews(inputs: readonly InputLoop[]): boolean {
  let news = false;
  for (const input of inputs) {
    if (input.framer.takeNews()) news = true;
  }
  return news;
}

function openInput(context: ReaderContext, spec: InputSpec, index: number): InputLoop {
  const { options, board } = context;
  const ring = context.rings[index]!;
  const producer = new RingProducer(ring, options.whenFull);
  const framer = new LineFramer(
    ring,
    producer,
    board.input(index),
    options.maxLineBytes,
    () => {
      if (board.announceLoss()) context.onLoss();
    },
  );
  const source = PipeSource.open(spec.source, options, {
    onNotice: (message) => context.onInputNotice(spec.label, message),
    onFifoMade: context.onFifoMade,
  });
  return new InputLoop(
    source,
    framer,
    ring.memory,
    spec.source.kind === "fifo" && !options.once,
  );
}

/** How long poll may sleep: until the first input has something to do. */
function timeoutMs(inputs: readonly InputLoop[]): number {
  let deadline = Infinity;
  for (const input of inputs) {
    if (input.ended) continue;
    if (input.hurries) return 0;
    deadline = Math.min(deadline, input.deadlineMs);
  }
  return deadline === Infinity
    ? -1
    : Math.max(0, Math.ceil(deadline - performance.now()));
}

const wakeUps = new Uint8Array(512);

function drainWakeUps(descriptor: number): void {
  read(descriptor, addressOf(wakeUps), wakeUps.byteLength);
}
