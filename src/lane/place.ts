import { Count64 } from "./count64.ts";
import {
  PLACE_BYTE,
  PLACE_DISCARDED_BYTES,
  PLACE_DISCARDED_LINES,
  PLACE_GAP_BYTES,
  PLACE_GAP_LINES,
  PLACE_INSIDE,
  PLACE_LINE,
  PLACE_TIME,
} from "./layout.ts";

/** Where the consumer is in the stream: numbers of the line and byte to come. */
export class Place {
  readonly line = new Count64();
  readonly byte = new Count64();
  /** Arrival of the last frame that was delivered. */
  lastTime = 0;
  /** What is missing before the next frame, as far as is known. */
  gapLines = 0;
  gapBytes = 0;
  discardedLines = 0;
  discardedBytes = 0;
  /** What was taken last ends inside a line. */
  inside = false;

  copyFrom(other: Place): void {
    this.line.copyFrom(other.line);
    this.byte.copyFrom(other.byte);
    this.lastTime = other.lastTime;
    this.gapLines = other.gapLines;
    this.gapBytes = other.gapBytes;
    this.discardedLines = other.discardedLines;
    this.discardedBytes = other.discardedBytes;
    this.inside = other.inside;
  }

  /** From the words of the lane that begins at `at`. */
  readFrom(view: DataView, at: number): void {
    this.line.readFrom(view, at + PLACE_LINE);
    this.byte.readFrom(view, at + PLACE_BYTE);
    this.lastTime = view.getFloat64(at + PLACE_TIME, true);
    this.gapLines = view.getFloat64(at + PLACE_GAP_LINES, true);
    this.gapBytes = view.getFloat64(at + PLACE_GAP_BYTES, true);
    this.discardedLines = view.getFloat64(at + PLACE_DISCARDED_LINES, true);
    this.discardedBytes = view.getFloat64(at + PLACE_DISCARDED_BYTES, true);
    this.inside = view.getFloat64(at + PLACE_INSIDE, true) === 1;
  }

  writeTo(view: DataView, at: number): void {
    this.line.writeTo(view, at + PLACE_LINE);
    this.byte.writeTo(view, at + PLACE_BYTE);
    view.setFloat64(at + PLACE_TIME, this.lastTime, true);
    view.setFloat64(at + PLACE_GAP_LINES, this.gapLines, true);
    view.setFloat64(at + PLACE_GAP_BYTES, this.gapBytes, true);
    view.setFloat64(at + PLACE_DISCARDED_LINES, this.discardedLines, true);
    view.setFloat64(at + PLACE_DISCARDED_BYTES, this.discardedBytes, true);
    view.setFloat64(at + PLACE_INSIDE, this.inside ? 1 : 0, true);
  }
}
