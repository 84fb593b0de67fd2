/**
 * What a format is: it turns what comes out of a ring into the bytes that a sink
 * is given. A new format is a new file with a `RecordLayout`, and its import and its
 * row in `formats.ts`.
 */

import type { Kernels } from "../kernels/kernels.ts";
import type { Batch } from "../lane/batch.ts";

/** The input that a batch comes from. */
export interface Stream {
  readonly label: string;
  /**
   * The run whose lines they are, by a name that no other has on any machine, and no other
   * input with this label.
   */
  readonly run: string;
  /** The input's shared memory, and its address. */
  readonly memory: Uint8Array;
  readonly address: number;
  readonly kernels: Kernels;
  /** Offsets in the memory of the hand and of the output area; see layout.ts. */
  readonly handAt: number;
  readonly outputAt: number;
}

/** Lines that are missing at this place of the output. */
export interface Gap {
  readonly reason: "overwritten" | "dropped" | "rejected" | "damaged";
  readonly lines: number;
  readonly bytes: number;
  /** Arrival of what came before and after it, in microseconds since 1970. */
  readonly from: number;
  readonly to: number;
  /** Numbers of the first line and byte after it, from 0. */
  readonly nextLine: number;
  readonly nextByte: number;
}

/** How much of the input is in the first bytes of an outgoing piece. */
export interface Progress {
  bytes: number;
  lines: number;
}

/**
 * Bytes on their way to the sink; good until the format is asked for the next.
 *
 * A record is the least that a sink may take apart: a line in raw output, and one
 * line (or one action and its document) in formats that make records. Every
 * record ends with a newline, which is its last byte. Only raw output can have a
 * record that begins in one piece and ends in a later one.
 *
 *     for (let start = 0, end; start < piece.length; start = end) {
 *       end = piece.recordEnd(start); // the message is start … end - 1
 *     }
 */
export interface Outgoing {
  /** The input that it comes from, or whose lines are missing. */
  readonly label: string;
  /** The run that has read it; see `Stream`. */
  readonly run: string;
  /** Number of the first byte of the input in it, or that comes next; from 0. */
  readonly firstByte: number;
  readonly length: number;
  /** The address of the first byte in this process, for system calls. */
  readonly address: number;
  /** The same bytes as an array, made when it is asked for. */
  readonly bytes: Uint8Array;
  /** The first byte goes on with a record that an earlier piece began. */
  readonly startsInside: boolean;
  /** The last record goes on in a later piece, and has no newline here. */
  readonly endsInside: boolean;
  /** Where the record that byte `at` belongs to ends, or `length` if not in this piece. */
  recordEnd(at: number): number;
  /** The last place up to `at` where a record begins; 0 if none does, see `startsInside`. */
  recordStart(at: number): number;
  /**
   * Counts what of the input the records within the first `written` bytes hold:
   * its lines, and its bytes.
   */
  progress(written: number): Readonly<Progress>;
  /**
   * How much of the input each record from byte `from` up to byte `to` holds, both of
   * them where records begin; absent where records are the input's own bytes.
   */
  inputBytes?(from: number, to: number): Uint32Array;
}

/** One output's formatting, with what it remembers from batch to batch. Flusher thread. */
export interface Format {
  /** True where a new file may begin: the output is not inside a line. */
  readonly atLineStart: boolean;
  /** Begins a batch, whose bytes stay where they are until `next` has nothing more. */
  begin(batch: Batch, stream: Stream): void;
  /**
   * The next piece of the batch; undefined after the last. There is always one,
   * if only to say that a line has ended without a byte more.
   */
  next(): Outgoing | undefined;
  marker(gap: Gap, stream: Stream): Outgoing;
  /** Nothing more comes of that stream. */
  forget(stream: Stream): void;
  /**
   * What it remembers between two batches of this stream. After `resume` with it, a
   * format with the same settings makes the same of the batch that came next.
   */
  state(stream: Stream): number;
  resume(stream: Stream, state: number): void;
}

/** The line of the last record within the first `written` bytes does not end there. */
export function goesOn(piece: Outgoing, written: number): boolean {
  const { bytes, lines } = piece.progress(piece.recordStart(written - 1));
  const progress = piece.progress(written);
  return progress.bytes > bytes && progress.lines === lines;
}
