import type { Format, Gap } from "../formats/format.ts";
import { MAX_BATCH_FRAMES } from "../lane/layout.ts";
import type { Batch } from "../lane/batch.ts";
import type { FullPolicy } from "../lane/ring_producer.ts";
import { leaveGarbage } from "../runtime/garbage.ts";
import type { Board } from "../threads/board.ts";
import type { SinkEvents } from "./attempts.ts";
import { Delivery } from "./delivery.ts";
import {
  type Input,
  type InputContext,
  inputOf,
  type LabelledLane,
} from "./outlet_input.ts";
import { Wait } from "./wait.ts";

export interface OutletContext extends InputContext {
  readonly lanes: readonly LabelledLane[];
  /** Where lanes come and go: it ends when it is closed, and not with its last lane. */
  readonly stays: boolean;
  readonly board: Board;
  /** The board's words of its route, and those of the thread of its loop. */
  readonly slot: number;
  readonly thread: number;
  readonly sinkEvents: SinkEvents;
  readonly format: Format;
  readonly markers: boolean;
  /** What the lanes do that are full: it says why lines are missing. */
  readonly whenFull: FullPolicy;
  /** Space was freed in a ring whose producer has asked for it. */
  onRoom(): void;
  /** Of that lane all has arrived, and it is forgotten. */
  onFlushed(found: number): void;
}

/** How a step has ended; "waiting" is for the lanes, or for what `wait` says. */
export type Stepped = "more to do" | "waiting" | "ended";

/** So many batches are taken in one step, before other outlets get their turn. */
const BATCHES_PER_STEP = 4;

/**
 * What is in the hand, and goes on to the delivery piece by piece:
 *
 *      nothing ──batch with a gap──▶ marker ──▶ batch ──last piece──▶ nothing
 *         └──────batch without──────────────────▲
 */
type Hand = "nothing" | "marker" | "batch";

/**
 * The other end of a route: pop → marker where lines are missing → format → deliver.
 * It keeps what is in its hand until the sink has taken it, and has ended when all its
 * rings have. It never waits itself; its output loop does. Only on that loop's thread.
 */
export class Outlet {
  /** What it waits for beside its lanes, after a step that says so. */
  readonly wait = new Wait();
  #wantsLines = true;
  readonly #context: OutletContext;
  readonly #delivery: Delivery;
  readonly #inputs: Input[] = [];
  #stays: boolean;
  /** Lanes that have ended, and of which something has not arrived yet. */
  #leaving = 0;
  #hand: Hand = "nothing";
  /** What is in the hand, and whose it is. */
  #batch!: Batch;
  #input!: Input;
  /** The input whose next line came first, and when the next line of another came. */
  #oldest: Input | undefined;
  #untilTime = Infinity;
  /** What an earlier run had in its hands, and the batch of each. */
  readonly #resumed: { readonly input: Input; readonly batch: Batch }[];
  readonly #isKept: boolean;

  constructor(context: OutletContext) {
    const { board, slot, thread, sink, sinkEvents: events } = context;
    this.#context = context;
    const [words, steps] = [board.route(slot), board.steps(thread)];
    this.#delivery = new Delivery(sink, { board, words, steps, events });
    this.#stays = context.stays;
    for (const lane of context.lanes) this.add(lane);
    this.#isKept = context.lanes.some(({ lane }) => lane.kept);
    // What the output was in the middle of goes on where it was: so it comes last.
    const left = this.#inputs.filter(({ run }) => run !== undefined)
      .sort((one, other) => one.consumer.lastTime - other.consumer.lastTime);
    this.#resumed = left.flatMap((input) => {
      const batch = input.consumer.resume();
      if (batch === undefined) this.#goOnAfter(input);
      return batch === undefined ? [] : [{ input, batch }];
    });
  }

  /** What an earlier run has delivered last is known, and was the whole of a batch. */
  #goOnAfter({ journal, headway, stream }: Input): void {
    if (journal === undefined) return;
    this.#context.format.resume(stream, journal.formatState);
    headway?.goOnAfter();
  }

  /** From now on its lines are delivered, too. */
  add(lane: LabelledLane): void {
    this.#inputs.push(inputOf(lane, this.#context, this.#inputs));
  }

  /** No lane comes any more: it ends with those that it has. */
  close(): void {
    this.#stays = false;
  }

  /** After a step that says it waits: lines that come are a reason to step again. */
  get wantsLines(): boolean {
    return this.#wantsLines;
  }

  /**
   * Does what can be done now, and no more than its share.
   *
   * @param nowMs on the clock of `performance.now`
   * @throws PermanentError, SinkClosedError when the sink will never take anything again.
   */
  step(nowMs: number): Stepped {
    const delivery = this.#delivery;
    this.wait.clear();
    this.#wantsLines = false;
    for (let batches = 0; batches < BATCHES_PER_STEP;) {
      if (!delivery.advance(nowMs, this.wait)) return "waiting";
      if (this.#hand !== "nothing") {
        this.#passOn();
        continue;
      }
      // What is kept is in the hand until it has arrived.
      if (this.#isKept && !delivery.settled(nowMs, this.wait)) return "waiting";
      // Asked before looking, so that nothing it pushed at last is overlooked.
      const { readerGone } = this.#context.board;
      this.#findOldest();
      if (this.#beginRefused()) continue;
      if (this.#leaving > 0) this.#letGo();
      if (this.#oldest === undefined) return this.#rest(readerGone, nowMs);
      if (!this.#take(this.#oldest, nowMs)) return "waiting";
      batches++;
    }
    return "more to do";
  }

  /** There is nothing in any ring. */
  #rest(readerGone: boolean, nowMs: number): Stepped {
    const delivery = this.#delivery;
    if (readerGone || this.#ended && !this.#stays) {
      if (!delivery.settled(nowMs, this.wait)) return "waiting";
      // The last answer may have refused something.
      if (this.#beginRefused()) return "more to do";
      return delivery.finish(nowMs, this.wait) ? "ended" : "waiting";
    }
    this.#wantsLines = true;
    delivery.reopenIfAsked();
    // It may have been the last of a lane, or was refused.
    if (delivery.tend(nowMs, this.wait)) return "more to do";
    this.#discardUnused(nowMs);
    return "waiting";
  }

  /** Nothing is in the hand, nor does the sink hold anything that is in it. */
  #discardUnused(nowMs: number): void {
    for (const { pages } of this.#inputs) {
      pages.tick(nowMs, true);
      if (pages.deadlineMs !== Infinity) this.wait.until(pages.deadlineMs);
    }
  }

  /** Takes a batch out of a ring. False when the sink would not take it now. */
  #take(input: Input, nowMs: number): boolean {
    const { format, markers } = this.#context;
    const delivery = this.#delivery;
    if (format.atLineStart) delivery.reopenIfAsked();
    const [resumed] = this.#resumed;
    const wanted = resumed !== undefined || input.consumer.peekBytes() > 0;
    if (wanted && !delivery.ready(nowMs, this.wait)) return false;
    const batch = resumed === undefined ? this.#drain(input) : this.#resume();
    if (batch === undefined) return true;
    input.pages.use(nowMs);
    this.#batch = batch;
    this.#input = input;
    input.nextLine = batch.firstLine + batch.lines;
    input.nextByte = batch.firstByte + batch.bytes;
    if (!batch.startsInside) input.refused.line++;
    // Of a line that had begun, the end may be missing, and nobody knows how long it was.
    const hasGap = batch.gapBytes > 0 || input.isDamaged && batch.gapLines > 0;
    if (hasGap && markers) {
      this.#hand = "marker";
      delivery.begin(format.marker(this.#gap(batch), input.stream), input, batch.gapTo);
    } else {
      this.#hand = "batch";
      format.begin(batch, input.stream);
    }
    return true;
  }

  #drain(input: Input): Batch | undefined {
    const { consumer, journal, stream } = input;
    if (journal) journal.formatState = this.#context.format.state(stream);
    const batch = consumer.drain(MAX_BATCH_FRAMES, this.#untilTime);
    this.#account(input);
    if (this.#stays && input.consumer.ended) this.#leaving++;
    if (batch !== undefined) this.#delivery.beginHand(input);
    return batch;
  }

  /** Takes up what an earlier run had in its hand. */
  #resume(): Batch {
    const { input, batch } = this.#resumed.shift()!;
    const { format } = this.#context;
    const delivery = this.#delivery;
    format.resume(input.stream, input.journal!.formatState);
    delivery.resumeHand(input);
    return batch;
  }

  /**
   * Says in the output what the sink has refused since it was last said, between two
   * lines, or at the end of the input, which is not to wait for what others write. Refused
   * itself, this marker is not tried again.
   */
  #beginRefused(): boolean {
    const { format, markers } = this.#context;
    const delivery = this.#delivery;
    if (!markers) return false;
    for (const input of this.#inputs) {
      const { refused, nextLine, nextByte, stream, consumer } = input;
      if (refused.isEmpty) continue;
      const isBetweenLines = format.atLineStart && !refused.insideLine;
      if (!isBetweenLines && !consumer.ended) continue;
      const { lines, bytes, from, to } = refused;
      const where = { from, to, nextLine, nextByte };
      const gap = { reason: "rejected", lines, bytes, ...where } as const;
      refused.clear();
      delivery.begin(format.marker(gap, stream), input, to);
      return true;
    }
    return false;
  }

  #gap(batch: Batch): Gap {
    return {
      reason: this.#input.isDamaged ? "damaged" : this.#lossOfRing,
      lines: batch.gapLines,
      bytes: batch.gapBytes,
      from: batch.gapFrom,
      to: batch.gapTo,
      nextLine: batch.firstLine,
      nextByte: batch.firstByte,
    };
  }

  get #lossOfRing(): "overwritten" | "dropped" {
    return this.#context.whenFull === "overwrite" ? "overwritten" : "dropped";
  }

  /** Gives the delivery the next piece of what is in the hand. */
  #passOn(): void {
    const { format } = this.#context;
    const delivery = this.#delivery;
    if (this.#hand === "marker") {
      this.#hand = "batch";
      format.begin(this.#batch, this.#input.stream);
    }
    const piece = format.next();
    if (piece === undefined) this.#hand = "nothing";
    else delivery.begin(piece, this.#input, this.#batch.frameTimes[0]!);
  }

  /**
   * Forgets lanes of which everything has arrived: others come in their places. Nothing is
   * in the hand.
   */
  #letGo(): void {
    const { format, markers } = this.#context;
    for (let index = this.#inputs.length - 1; index >= 0; index--) {
      const { consumer, refused, counters, stream, found } = this.#inputs[index]!;
      if (!consumer.ended || !counters.settled) continue;
      // What was refused is still to be said.
      if (markers && !refused.isEmpty) continue;
      this.#inputs.splice(index, 1);
      this.#leaving--;
      format.forget(stream);
      if (found !== undefined) this.#context.onFlushed(found);
      leaveGarbage();
    }
  }

  get #ended(): boolean {
    for (const input of this.#inputs) {
      if (!input.consumer.ended) return false;
    }
    return true;
  }

  #findOldest(): void {
    this.#oldest = this.#resumed[0]?.input;
    this.#untilTime = Infinity;
    if (this.#oldest !== undefined) return;
    let oldestTime = Infinity;
    for (const input of this.#inputs) {
      if (input.earlier?.consumer.ended === false) continue;
      const time = input.consumer.peekTime();
      if (time === undefined) continue;
      if (this.#oldest === undefined || time < oldestTime) {
        this.#untilTime = oldestTime;
        oldestTime = time;
        this.#oldest = input;
      } else if (time < this.#untilTime) {
        this.#untilTime = time;
      }
    }
  }

  #account({ consumer, counters }: Input): void {
    // The end of a line may be all that was left of it, and has no byte.
    if (consumer.discardedBytes > 0 || consumer.discardedLines > 0) {
      counters.setDiscarded(consumer.discardedBytes, consumer.discardedLines);
    }
    if (consumer.takeRoomRequest()) this.#context.onRoom();
  }
}
