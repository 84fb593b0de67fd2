import { monotonicMs } from "../system/clock.ts";
import type { Board } from "../threads/board.ts";
import type { InputState, OutputState, Snapshot } from "./events.ts";
import { Rates } from "./rates.ts";

/** What the board does not say of the data path, because it does not change. */
export interface Fixtures {
  readonly labels: readonly string[];
  readonly capacityBytes: number;
  readonly outputName: string;
  /** Which kind of loss discarded pieces belong to. */
  readonly dropNewest: boolean;
}

/**
 * The one view of the data path that all reports, the meter and the metrics are
 * made from. It only reads the board. Control thread only.
 */
export class Observer {
  readonly #board: Board;
  readonly #fixtures: Fixtures;
  readonly #rates: readonly Rates[];
  readonly #createdMs = monotonicMs();
  #lastError: OutputState["lastError"];

  constructor(board: Board, fixtures: Fixtures) {
    this.#board = board;
    this.#fixtures = fixtures;
    this.#rates = fixtures.labels.map(() => new Rates(performance.now()));
  }

  /** Remembers what the output said last. */
  noteError(message: string): void {
    this.#lastError = { message, timeMs: Date.now() };
  }

  snapshot(): Snapshot {
    const { capacityBytes, labels, outputName } = this.#fixtures;
    const timeMs = Date.now();
    const nowMs = monotonicMs();
    // By the clock as it stands now: it may have been set since.
    const timeOf = (since: number) => timeMs - (nowMs - since);
    const { takesNothingSince, sinkFailingSince } = this.#board;
    const output = {
      name: outputName,
      takesNothingSinceMs: takesNothingSince && timeOf(takesNothingSince),
      failingSinceMs: sinkFailingSince && timeOf(sinkFailingSince),
      retries: this.#board.sinkRetries,
      lastError: this.#lastError,
    };
    const inputs = labels.map((label, index) => this.#input(label, index));
    return { timeMs, startMs: timeOf(this.#createdMs), capacityBytes, inputs, output };
  }

  #input(label: string, index: number): InputState {
    const counters = this.#board.input(index);
    const counts = counters.read(this.#fixtures.dropNewest);
    const rates = this.#rates[index]!;
    rates.sample(performance.now(), counts.bytesIn, counts.bytesOut);
    const { inBytesPerSecond, outBytesPerSecond } = rates;
    const { shortfall } = counters;
    return { label, ...counts, shortfall, inBytesPerSecond, outBytesPerSecond };
  }
}
