import { collectGarbage } from "../runtime/garbage.ts";
import { Epoll, EPOLLIN } from "../system/epoll.ts";
import { clear } from "../system/event_counter.ts";
import { activityOf } from "../system/process.ts";
import type { Board } from "../threads/board.ts";
import { READER } from "../threads/board.ts";
import type { Gate } from "../threads/gate.ts";
import { Gather } from "./gather.ts";
import { giveWay } from "./give_way.ts";
import type { InputLoop, Source } from "./input_loop.ts";
import { joinInput } from "./joined_input.ts";
import { LeftSource } from "./left_source.ts";
import { nameOfSource } from "./input_spec.ts";
import { PipeSource } from "./pipe_source.ts";
import { Newcomers, type NewcomersContext } from "./newcomers.ts";
import type { ReaderLane } from "./reader_lane.ts";
import { NAMES, ReadLoop, WAKE_UP } from "./read_loop.ts";

/**
 * Far more than threads take to start. A disk that hangs may keep one for ever from the
 * file that it is to open, and even so all writers are read.
 */
const LATEST_START_MS = 5000;

/** What all inputs have in common. */
export interface ReaderSettings {
  readonly pipeSizeBytes: number;
  /** End when the last writer of a named pipe closes it. */
  readonly once: boolean;
  /** Make a named pipe again that was removed. */
  readonly create: boolean;
}

interface ReaderContext {
  readonly settings: ReaderSettings;
  readonly lanes: readonly ReaderLane[];
  /** Where named pipes of folders are read. */
  readonly newcomers: NewcomersContext | undefined;
  readonly board: Board;
  /** A counter that wakes the reader when there is room again or a stop is wanted. */
  readonly wakeUps: number;
  /** Opened when all outlets can take what is read. */
  readonly outletsReady: Gate;
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
}

/**
 * The reader thread: waits for all inputs at once, reads what is there, and pushes it
 * into the rings, until all inputs have ended. Beside naps of a millisecond at most
 * (give_way.ts, gather.ts) it waits for nothing else, so that no writer ever waits for
 * the destination. Where folders are read, it ends when a stop is requested.
 *
 * @throws InputError when an input or a folder cannot be opened.
 */
export function runReader(context: ReaderContext): void {
  const { board, wakeUps, settings } = context;
  const inputs = context.lanes.map((lane) => openInput(context, lane));
  const newcomers = context.newcomers && new Newcomers(context.newcomers, settings);
  // What is read before an outlet can take it may overrun the ring.
  context.outletsReady.pass(LATEST_START_MS);
  const gather = new Gather();
  const epoll = new Epoll();
  epoll.addOrThrow(wakeUps, EPOLLIN, WAKE_UP);
  if (newcomers) epoll.addOrThrow(newcomers.descriptor, EPOLLIN, NAMES);
  const loop: ReadLoop = new ReadLoop(epoll, {
    board,
    steps: board.steps(READER),
    takeWakeUp: () => {
      clear(wakeUps);
      newcomers?.takeAnswers((lane, source) => {
        const input = inputOf(context, lane, source);
        loop.add(input, lane.route, lane.ring, () => newcomers.ended(input));
        return input;
      });
    },
    onNames: () => newcomers?.onNames(),
    isGone: (route) => board.route(route).gone,
    onBusy: context.onBusy,
    onInputFailed: (message, input) => {
      if (!newcomers?.failed(input, message)) context.onInputFailed(message);
    },
  });
  inputs.forEach((input, index) => {
    const { route, ring } = context.lanes[index]!;
    loop.add(input, route, ring);
  });
  context.onReading();
  // What was found before the stop is read as well.
  const isMoreToCome = () =>
    newcomers !== undefined && !(board.stopRequested && newcomers.settled);
  while (!loop.ended || isMoreToCome()) {
    const beforeMs = performance.now();
    epoll.wait(earlier(loop.timeoutMs(beforeMs), newcomers, beforeMs));
    const nowMs = performance.now();
    if (newcomers?.tick(nowMs)) loop.lookAtAll();
    loop.serve(nowMs);
    collectGarbage(nowMs);
    giveWay(loop.served);
    gather.afterRead(loop.served, nowMs);
  }
  epoll.close();
}

/** @param timeoutMs as that of epoll_wait(2) */
function earlier(
  timeoutMs: number,
  newcomers: Newcomers | undefined,
  nowMs: number,
): number {
  if (newcomers === undefined) return timeoutMs;
  const restMs = Math.max(0, Math.ceil(newcomers.deadlineMs - nowMs));
  return timeoutMs < 0 ? restMs : Math.min(timeoutMs, restMs);
}

function openInput(context: ReaderContext, from: ReaderLane): InputLoop {
  const { label, source: spec } = from.input;
  const source = spec.kind === "kept"
    ? new LeftSource(nameOfSource(spec))
    : PipeSource.open(spec, context.settings, {
      onNotice: (message) => context.onInputNotice(label, message),
    });
  return inputOf(context, from, source);
}

function inputOf(
  { settings, board, onLoss }: ReaderContext,
  { input, lane, maxLineBytes, whenFull, route }: ReaderLane,
  source: Source,
): InputLoop {
  const output = board.route(route);
  return joinInput({
    source,
    lane,
    maxLineBytes,
    whenFull,
    waitsForNextWriter: input.source.kind === "fifo" && !settings.once,
    activity: () => activityOf(output.thread),
    onLoss: () => {
      if (board.announceLoss()) onLoss();
    },
  });
}
