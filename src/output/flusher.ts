import type { Format, Gap, Stream } from "../formats/format.ts";
import type { Doorbell } from "../threads/doorbell.ts";
import { addressOfMemory } from "../system/memory.ts";
import type { Board } from "../threads/board.ts";
import type { InputCounters } from "../lane/input_counters.ts";
import { kernels } from "../kernels/kernels.ts";
import { MAX_BATCH_FRAMES, RingConsumer } from "../lane/ring_consumer.ts";
import type { RingMemory } from "../lane/ring_memory.ts";
import type { Delivery } from "./delivery.ts";

export interface FlusherContext {
  readonly labels: readonly string[];
  /** One for each label. */
  readonly rings: readonly RingMemory[];
  readonly board: Board;
  readonly doorbell: Doorbell;
  readonly delivery: Delivery;
  readonly format: Format;
  readonly markers: boolean;
  readonly gapReason: Gap["reason"];
  /** When the program started, in microseconds since 1970. */
  readonly startTime: number;
  /** Space was freed in a ring whose producer has asked for it. */
  onRoom(): void;
}

interface Input {
  readonly consumer: RingConsumer;
  readonly stream: Stream;
  readonly counters: InputCounters;
}

/**
 * The flush loop: pop → marker where lines are missing → format → write. It keeps
 * what is in its hand until the sink has taken it, and is done when all rings
 * have ended. Flusher thread only.
 */
export class Flusher {
  readonly #context: FlusherContext;
  readonly #inputs: readonly Input[];
  readonly #isIdle = () => this.#idle;
  /** The input whose next line came first, and when the next line of another came. */
  #oldest: Input | undefined;
  #untilTime = Infinity;

  constructor(context: FlusherContext) {
    this.#context = context;
    this.#inputs = context.rings.map((ring, index) => ({
      consumer: new RingConsumer(ring, context.startTime),
      stream: {
        label: context.labels[index]!,
        memory: new Uint8Array(ring.memory.buffer),
        kernels: kernels(ring.memory),
        handAt: ring.handAt,
        outputAt: ring.outputAt,
        address: addressOfMemory(ring.memory),
      },
      counters: context.board.input(index),
    }));
  }

  /** @throws SinkError, SinkClosedError when the sink will never take anything again. */
  async run(): Promise<void> {
    const { board, delivery, doorbell, format } = this.#context;
    const { gapReason: reason, markers } = this.#context;
    while (!this.#ended) {
      // Asked before looking, so that nothing it pushed at last is overlooked.
      const { readerGone } = board;
      this.#findOldest();
      const input = this.#oldest;
      if (input === undefined) {
        if (readerGone) break;
        delivery.reopenIfAsked();
        const tended = delivery.tend();
        if (tended !== undefined) await tended;
        doorbell.sleep(this.#isIdle, delivery.restMs);
        continue;
      }
      if (format.atLineStart) delivery.reopenIfAsked();
      if (input.consumer.peekBytes() > 0 && !delivery.ready()) continue;
      const batch = input.consumer.drain(MAX_BATCH_FRAMES, this.#untilTime);
      this.#account(input);
      if (batch === undefined) continue;
      if (batch.gapBytes > 0 && markers) {
        const gap = {
          reason,
          lines: batch.gapLines,
          bytes: batch.gapBytes,
          from: batch.gapFrom,
          to: batch.gapTo,
          nextLine: batch.firstLine,
        };
        const marker = format.marker(gap, input.stream);
        await delivery.send(marker, input.counters);
      }
      format.begin(batch, input.stream);
      for (let piece = format.next(); piece !== undefined; piece = format.next()) {
        const pending = delivery.send(piece, input.counters);
        if (pending !== undefined) await pending;
      }
    }
    await delivery.finish();
  }

  get #ended(): boolean {
    for (const input of this.#inputs) {
      if (!input.consumer.ended) return false;
    }
    return true;
  }

  /** Nothing to flush and nothing asked for. */
  get #idle(): boolean {
    this.#findOldest();
    return this.#oldest === undefined && !this.#context.delivery.reopenWanted &&
      !this.#context.board.readerGone;
  }

  #findOldest(): void {
    this.#oldest = undefined;
    this.#untilTime = Infinity;
    let oldestTime = Infinity;
    for (const input of this.#inputs) {
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
