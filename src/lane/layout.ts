/**
 * Where everything is in the memory of a lane, which is what one input's reader and
 * its outlet share.
 *
 * A WebAssembly memory holds one lane, or several one after the other. A lane holds the
 * reader's landing area, the outlet's hand and the ring between them, so that every copy
 * is a `memory.copy` within one memory and system calls read and write in place. The
 * output area is where a format that makes records writes them.
 *
 *      0        64 KiB       + landing       + hand         + ring         + output
 *      ┌─────────┬─────────────┬──────────────┬──────────────┬──────────────┐
 *      │  words  │   landing   │     hand     │     ring     │    output    │
 *      └─────────┴─────────────┴──────────────┴──────────────┴──────────────┘
 *        shared    reader only   outlet only    shared         outlet only
 *
 * All but the output area is in the file of a lane that is kept: see kept_file.ts.
 *
 * Words of 8 bytes, those of different threads far enough apart not to share a cache
 * line. What would have to outlive the process is here and not in objects:
 *
 *      byte    0   tail   position of the oldest frame; both sides exchange it
 *      byte  128   head   position after the newest frame; the producer stores it
 *      byte  256   room   1 while a producer waits for the consumer to free space
 *      byte  512   producer: numbers of the next line and byte; what has landed
 *      byte 1024   counters that the reader writes: lane_counters.ts
 *      byte 1536   counters that the outlet writes
 *      byte 2048   consumer: numbers of the next line and byte, time, gap, discarded
 *      byte 2304   what is in the hand, and how far it has come: hand_journal.ts
 *      byte 3072   up to where all is delivered, where frames are checked: settled.ts
 *      byte 4096   an end and a time for each frame in the hand
 *      the last    a checksum over all the rest, where a run has ended: whole_lane.ts
 *
 * Positions count units of 8 bytes since the start and only grow: a frame starts
 * at a multiple of 8, so no header word straddles the end of the ring, though the
 * header as a whole and the payload may. They are at `position mod ring` in the
 * ring. The words have 64 bits; the 53 that numbers hold exactly are 2^56 bytes,
 * or three quarters of a year at 3 GB/s.
 *
 *       0       4       8            16           24       32       40      44      48
 *      ┌───────┬───────┬────────────┬────────────┬────────┬────────┬───────┬───────┬───┐
 *      │ bytes │ lines │ first line │ first byte │ time   │ check  │ flags │ check │ … │
 *      └───────┴───────┴────────────┴────────────┴────────┴────────┴───────┴───────┴───┘
 *        u32     u32     u64 number   u64 number   f64 µs   f64      u32     u32     payload
 *
 * The checks are those of the payload and of the header before it; only a lane that may
 * outlive the machine has them: frame_check.ts.
 */

export const WORDS_BYTES = 64 * 1024;
export const WORD = 8;

export const TAIL = 0;
export const HEAD = 128;
export const ROOM = 256;
/** Numbers of the next line and byte that come in, from 0. */
export const NEXT_LINE = 512;
export const NEXT_BYTE = 520;
/**
 * Number of the byte that would be at the beginning of the landing area, and of the
 * one after those that have landed; of the latter once the read that is under way has
 * happened; when they came; and 1 where they go on with a line that was begun before.
 */
export const LANDING_FROM = 528;
export const LANDING_END = 536;
export const LANDING_GOAL = 544;
export const LANDING_TIME = 552;
export const LANDING_INSIDE = 560;
export const READER_COUNTERS = 1024;
export const OUTLET_COUNTERS = 1536;
/** Numbers of the next line and byte to be taken out, and what is known beside them. */
export const PLACE_LINE = 2048;
export const PLACE_BYTE = 2056;
export const PLACE_TIME = 2064;
export const PLACE_GAP_LINES = 2072;
export const PLACE_GAP_BYTES = 2080;
export const PLACE_DISCARDED_LINES = 2088;
export const PLACE_DISCARDED_BYTES = 2096;
export const PLACE_INSIDE = 2104;
export const HAND = 2304;
export const SETTLED = 3072;
/** What is in the hand: where each frame's payload ends, and when it arrived. */
export const HAND_FRAME_ENDS = 4096;
export const HAND_FRAME_TIMES = 8192;
export const WHOLE_CHECK = WORDS_BYTES - WORD;
/** Frames that the hand may hold. */
export const MAX_BATCH_FRAMES = 256;

export const FRAME_BYTES = 0;
export const FRAME_LINES = 4;
export const FRAME_FIRST_LINE = 8;
export const FRAME_FIRST_BYTE = 16;
export const FRAME_TIME = 24;
export const FRAME_PAYLOAD_CHECK = 32;
export const FRAME_FLAGS = 40;
export const FRAME_HEADER_CHECK = 44;
export const HEADER_BYTES = 48;

/** The payload begins in the middle of a line, and holds no other line. */
export const STARTS_INSIDE = 1;
/** The payload does not end with a newline. */
export const ENDS_INSIDE = 2;
/** The producer has closed; there is no payload and no frame after this one. */
export const END = 4;

/** Bytes of one unit of a position. */
export const UNIT = 8;

/** Bytes of the ring that a frame takes. */
export function frameLength(payloadBytes: number): number {
  return HEADER_BYTES + align(payloadBytes);
}

export function align(bytes: number): number {
  return Math.ceil(bytes / UNIT) * UNIT;
}

if (HAND_FRAME_ENDS + 4 * MAX_BATCH_FRAMES > HAND_FRAME_TIMES) {
  throw new Error("the ends of frames would run into their times");
}
if (HEADER_BYTES % UNIT !== 0) throw new Error("frames would lose their alignment");
