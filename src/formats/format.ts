/**
 * What a format is: it turns what comes out of a ring into the bytes that a sink
 * is given. A new format is a new file that implements `Format`, and a line in
 * `formats.ts`.
 */

import type { Kernels } from "../platform/kernels.ts";
import type { Batch } from "../ring/ring_consumer.ts";

/** The input that a batch comes from. */
export interface Stream {
  readonly label: string;
  /** The input's shared memory, the offset of the hand in it, and its address. */
  readonly memory: Uint8Array;
  readonly kernels: Kernels;
  readonly handAt: number;
  readonly address: number;
}

/** Lines that are missing at this place of the output. */
export interface Gap {
  readonly reason: "overwritten" | "dropped";
  readonly lines: number;
  readonly bytes: number;
  /** Arrival of what stood before and after it, in microseconds since 1970. */
  readonly from: number;
  readonly to: number;
}

/** How much of the input stands in the first bytes of an outgoing piece. */
export interface Progress {
  bytes: number;
  lines: number;
}

/** Bytes on their way to the sink; good until the format is asked for the next. */
export interface Outgoing {
  readonly length: number;
  /** Where the first byte stands in this process, for system calls. */
  readonly address: number;
  /** The same bytes as an array, made when it is asked for. */
  readonly bytes: Uint8Array;
  /** Counts whole lines, and bytes of the input, within the first `written` bytes. */
  progress(written: number): Readonly<Progress>;
}

/** One output's formatting, with what it remembers from batch to batch. Flusher thread. */
export interface Format {
  /** True where a new file may begin: the output does not stand inside a line. */
  readonly atLineStart: boolean;
  batch(batch: Batch, stream: Stream): Outgoing;
  marker(gap: Gap, stream: Stream): Outgoing;
}
