import { read } from "../system/descriptors.ts";
import { addressOf } from "../system/memory.ts";
import { POLLIN, type PollSet } from "../system/poll.ts";
import type { Doorbell } from "../threads/doorbell.ts";
import type { Board } from "../threads/board.ts";
import { InputError } from "../errors.ts";
import { pushBeforeOthers } from "./arrival_order.ts";
import type { InputLoop } from "./input_loop.ts";

export interface ReadLoopContext {
  readonly board: Board;
  readonly doorbell: Doorbell;
  /** A pipe end that becomes readable when there is room again or a stop is wanted. */
  readonly wakeDescriptor: number;
  /** Something has come in, and the control thread rests. */
  onBusy(): void;
  /** One input failed for good; the others go on. */
  onInputFailed(message: string): void;
}

/**
 * One round of the reader for all its inputs: what poll(2) has to wait for, and
 * what is due when it has returned. Tests put a simulated poll in its place.
 * Loops instead of closures: they run for every read, and garbage in this thread
 * is a pause for the writer. Reader thread only.
 */
export class ReadLoop {
  readonly #inputs: readonly InputLoop[];
  readonly #poll: Pick<PollSet, "watch" | "ready">;
  readonly #context: ReadLoopContext;
  readonly #wakeSlot: number;
  readonly #wakeUps = new Uint8Array(512);
  readonly #isReady = (slot: number) => this.#poll.ready(slot) !== 0;

  /** @param poll one slot for each input, and one more */
  constructor(
    inputs: readonly InputLoop[],
    poll: Pick<PollSet, "watch" | "ready">,
    context: ReadLoopContext,
  ) {
    this.#inputs = inputs;
    this.#poll = poll;
    this.#context = context;
    this.#wakeSlot = inputs.length;
    poll.watch(this.#wakeSlot, context.wakeDescriptor, POLLIN);
  }

  get ended(): boolean {
    for (const input of this.#inputs) {
      if (!input.ended) return false;
    }
    return true;
  }

  /** Tells poll what to watch. Returns how long it may wait, in ms; -1: for ever. */
  watch(): number {
    let deadlineMs = Infinity;
    for (let slot = 0; slot < this.#inputs.length; slot++) {
      const input = this.#inputs[slot]!;
      this.#poll.watch(slot, input.wantsInput ? input.source.descriptor : -1, POLLIN);
      if (input.ended) continue;
      deadlineMs = Math.min(deadlineMs, input.hurries ? 0 : input.deadlineMs);
    }
    return deadlineMs === Infinity
      ? -1
      : Math.max(0, Math.ceil(deadlineMs - performance.now()));
  }

  /** Does what is due after poll has returned. @param nowMs monotonic, since then */
  serve(nowMs: number): void {
    const { board, doorbell, wakeDescriptor } = this.#context;
    board.beginStep("reader");
    if (this.#poll.ready(this.#wakeSlot) !== 0) {
      read(wakeDescriptor, addressOf(this.#wakeUps), this.#wakeUps.byteLength);
    }
    // Asked after the wake-up was taken, which may be the one that came with it.
    const stopping = board.stopRequested;
    pushBeforeOthers(this.#inputs, this.#isReady);
    for (let slot = 0; slot < this.#inputs.length; slot++) {
      const input = this.#inputs[slot]!;
      if (!input.ended) {
        this.#serve(input, this.#isReady(slot), stopping, nowMs);
      }
    }
    board.endStep("reader");
    if (this.#takeNews()) {
      doorbell.ring(0);
      if (board.endRest()) this.#context.onBusy();
    }
  }

  #serve(input: InputLoop, ready: boolean, stopping: boolean, nowMs: number): void {
    try {
      input.serve(ready, stopping, nowMs);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      this.#context.onInputFailed(error.message);
      input.finish();
    }
  }

  /** A look at the names of FIFOs, for one, is nothing that others must wake for. */
  #takeNews(): boolean {
    let news = false;
    for (const input of this.#inputs) {
      if (input.framer.takeNews()) news = true;
    }
    return news;
  }
}
