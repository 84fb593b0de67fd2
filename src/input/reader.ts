import { PollSet } from "../system/poll.ts";
import type { Gate } from "../threads/gate.ts";
import type { RingMemory } from "../lane/ring_memory.ts";
import { type FullPolicy, RingProducer } from "../lane/ring_producer.ts";
import { Gather } from "./gather.ts";
import { GiveWay } from "./give_way.ts";
import { InputLoop } from "./input_loop.ts";
import { LineFramer } from "./line_framer.ts";
import { type InputSpec, PipeSource } from "./pipe_source.ts";
import { ReadLoop, type ReadLoopContext } from "./read_loop.ts";

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

export interface ReaderContext extends ReadLoopContext {
  readonly options: ReaderOptions;
  /** One for each input. */
  readonly rings: readonly RingMemory[];
  /** Opened when the flusher can take what is read. */
  readonly flusherReady: Gate;
  /** From now on everything is read. */
  onReading(): void;
  /** Lines have been lost, and the control thread does not know it yet. */
  onLoss(): void;
  /** A person should know, but the input goes on. */
  onInputNotice(label: string, message: string): void;
}

/**
 * The reader thread: waits in poll(2) for all inputs at once, reads what is
 * there, and pushes it into the rings, until all inputs have ended. Beside naps of a
 * millisecond at most (give_way.ts, gather.ts) it waits for nothing else, so that no
 * writer ever waits for the destination.
 *
 * @throws InputError when an input cannot be opened.
 */
export function runReader(context: ReaderContext): void {
  const { options, board } = context;
  const inputs = options.inputs.map((spec, index) => openInput(context, spec, index));
  // What is read before the flusher can take it may overrun the ring.
  context.flusherReady.pass();
  const giveWay = new GiveWay(inputs, board);
  const gather = new Gather(inputs);
  const poll = new PollSet(inputs.length + 1);
  const loop = new ReadLoop(inputs, poll, context);
  context.onReading();
  while (!loop.ended) {
    poll.wait(loop.watch());
    const nowMs = performance.now();
    loop.serve(nowMs);
    giveWay.afterRead();
    gather.afterRead(nowMs);
  }
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
  });
  return new InputLoop(
    source,
    framer,
    ring.memory,
    spec.source.kind === "fifo" && !options.once,
  );
}
