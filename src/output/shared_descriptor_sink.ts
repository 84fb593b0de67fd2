import type { Outgoing } from "../formats/format.ts";
import type { LineTurn } from "../threads/line_turn.ts";
import type { DescriptorSink } from "./descriptor_sink.ts";
import type { Sink } from "./sink.ts";
import type { Wait } from "./wait.ts";

const NEWLINE = 10;
/** A report is one write, unless a terminal is slow. */
const REPORT_MS = 2;

/** A descriptor to which reports are written as well, by the control thread. */
export class SharedDescriptorSink implements Sink {
  readonly #sink: DescriptorSink;
  readonly #turn: LineTurn;
  #insideLine = false;

  constructor(sink: DescriptorSink, turn: LineTurn) {
    this.#sink = sink;
    this.#turn = turn;
  }

  write(piece: Outgoing, from: number, wait: Wait): number {
    if (!this.#turn.beginOutput()) {
      wait.until(performance.now() + REPORT_MS);
      return 0;
    }
    try {
      const count = this.#sink.write(piece, from, wait);
      if (count > 0) this.#insideLine = piece.bytes[from + count - 1] !== NEWLINE;
      return count;
    } finally {
      this.#turn.endOutput(this.#insideLine);
    }
  }

  finish(): boolean {
    return this.#sink.finish();
  }
}
