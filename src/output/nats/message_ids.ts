import type { Outgoing } from "../../formats/format.ts";

/** How much of a random number is enough for the runs of a fleet. */
const RUN_DIGITS = 16;

/**
 * Names for messages, as `Nats-Msg-Id` takes them: the run, the input, and the number of
 * the line that the message begins with, `…-api-42`; where there are several for a line,
 * as for its pieces, `…-api-42.1` and so on.
 */
export class MessageIds {
  readonly #run = crypto.randomUUID().replaceAll("-", "").slice(0, RUN_DIGITS);
  /** By input, the line that the last one was for, and how many there have been. */
  readonly #last = new Map<string, { line: number; count: number }>();

  /** For a message that begins with byte `from` of the piece; another for each call. */
  next(piece: Outgoing, from: number): string {
    const { label, firstLine } = piece;
    const line = firstLine + piece.progress(from).lines + 1;
    let last = this.#last.get(label);
    if (last === undefined) this.#last.set(label, last = { line: 0, count: 0 });
    if (line > last.line) {
      last.line = line;
      last.count = 0;
    } else {
      // Also for one that speaks of lines before it, so that no id comes twice.
      last.count++;
    }
    const id = `${this.#run}-${label}-${last.line}`;
    return last.count === 0 ? id : `${id}.${last.count}`;
  }
}
