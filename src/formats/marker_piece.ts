import { addressOf } from "../system/memory.ts";
import type { Outgoing, Progress } from "./format.ts";

const NOTHING: Readonly<Progress> = { bytes: 0, lines: 0 };
const encoder = new TextEncoder();

/** Records that say something of the program's own, and hold nothing of the input. */
export class MarkerPiece implements Outgoing {
  readonly label: string;
  readonly run: string;
  readonly firstByte: number;
  readonly bytes: Uint8Array;
  readonly length: number;
  readonly address: number;
  readonly startsInside: boolean;
  readonly endsInside = false;
  readonly #ends: number[] = [];

  /**
   * @param origin the input that it speaks of, and the byte that comes next
   * @param records each with its newline
   * @param startsInside the first only ends a record that was begun before
   */
  constructor(
    { label, run, firstByte }: Pick<Outgoing, "label" | "run" | "firstByte">,
    records: readonly string[],
    startsInside: boolean,
  ) {
    this.label = label;
    this.run = run;
    this.firstByte = firstByte;
    this.bytes = encoder.encode(records.join(""));
    this.length = this.bytes.length;
    this.address = addressOf(this.bytes);
    this.startsInside = startsInside;
    let end = 0;
    for (const record of records) {
      end += encoder.encode(record).length;
      this.#ends.push(end);
    }
  }

  recordEnd(at: number): number {
    return this.#ends.find((end) => end > at) ?? this.length;
  }

  recordStart(at: number): number {
    return this.#ends.findLast((end) => end <= at) ?? 0;
  }

  progress(): Readonly<Progress> {
    return NOTHING;
  }
}
