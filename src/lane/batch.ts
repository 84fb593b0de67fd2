/**
 * What a drain has taken out of the ring. The consumer returns the same object
 * every time; it and the bytes in the hand are good until the next drain.
 */
export interface Batch {
  /** Payload of all frames, at `handAt` of the shared memory. */
  bytes: number;
  /** Lines that end in this batch. */
  lines: number;
  /** Number of the first line, or of the line that the batch goes on with; from 0. */
  firstLine: number;
  /** Number of the first byte, or of the one that comes next; from 0. */
  firstByte: number;
  frames: number;
  /** Where each frame's payload ends within the batch. */
  readonly frameEnds: Uint32Array;
  /** When each frame arrived, in microseconds since 1970. */
  readonly frameTimes: Float64Array;
  /** The first frame goes on with a line whose beginning came in an earlier batch. */
  startsInside: boolean;
  /** The producer has closed and nothing follows. */
  end: boolean;
  /** What is missing right before this batch; all 0 when nothing is. */
  gapLines: number;
  gapBytes: number;
  /** Arrival of what came last before and first after the gap, in microseconds. */
  gapFrom: number;
  gapTo: number;
}
