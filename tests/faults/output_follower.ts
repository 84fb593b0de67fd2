import { assert, assertEquals } from "@std/assert";
import { numberedLines } from "../end_to_end/numbered_lines.ts";

const MARKER =
  /^spillway: (\d+) lines? \((\d+) bytes\) (?:overwritten|dropped) between \S+ and \S+$/;

/** Checks numbered lines as they come out, and keeps none of them. */
export class OutputFollower {
  lines = 0;
  missingLines = 0;
  gaps = 0;
  readonly #lineBytes: number;
  readonly #decoder = new TextDecoder();
  #rest = "";

  constructor(lineBytes: number) {
    this.#lineBytes = lineBytes;
  }

  take(piece: Uint8Array): void {
    const lines = (this.#rest + this.#decoder.decode(piece, { stream: true })).split(
      "\n",
    );
    this.#rest = lines.pop()!;
    for (const line of lines) this.#takeLine(line);
  }

  #takeLine(line: string): void {
    const marker = MARKER.exec(line);
    if (marker !== null) {
      this.missingLines += Number(marker[1]);
      this.gaps++;
      assertEquals(Number(marker[2]), Number(marker[1]) * this.#lineBytes);
      return;
    }
    const number = this.lines + this.missingLines;
    const expected = numberedLines(number, 1, this.#lineBytes).slice(0, -1);
    if (line !== expected) assertEquals(line, expected);
    this.lines++;
  }

  end(): void {
    assert(this.#rest === "", "the output ends within a line");
  }
}
