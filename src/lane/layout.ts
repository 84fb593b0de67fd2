/**
 * Where everything stands in the shared memory of one input.
 *
 * One WebAssembly memory per input holds the reader's landing area, the
 * flusher's hand and the ring between them, so that every copy is a
 * `memory.copy` within one memory and system calls read and write in place. The
 * output area is where a format that makes records writes them.
 *
 *      0        64 KiB       + landing       + hand         + output       + ring
 *      ┌─────────┬─────────────┬──────────────┬──────────────┬──────────────┐
 *      │ control │   landing   │     hand     │    output    │     ring     │
 *      └─────────┴─────────────┴──────────────┴──────────────┴──────────────┘
 *        shared    reader only   flusher only   flusher only   shared
 *
 * Control, 8-byte words far enough apart not to share a cache line:
 *
 *      byte   0   tail   position of the oldest frame; both sides exchange it
 *      byte 128   head   position after the newest frame; the producer stores it
 *      byte 256   room   1 while a producer waits for the consumer to free space
 *
 * Positions count units of 8 bytes since the start and only grow: a frame starts
 * at a multiple of 8, so no header word straddles the end of the ring, though the
 * header as a whole and the payload may. They stand at `position mod ring` in the
 * ring. The words have 64 bits; the 53 that numbers hold exactly are 2^56 bytes,
 * or three quarters of a year at 3 GB/s.
 *
 *       0        4        8                16               24       32
 *      ┌────────┬────────┬────────────────┬────────────────┬────────┬────────┬───┐
 *      │ bytes  │ lines  │ first line no. │ first byte no. │ time   │ flags  │ … │
 *      └────────┴────────┴────────────────┴────────────────┴────────┴────────┴───┘
 *        u32      u32      u64              u64              f64 µs   u32      payload
 */

export const CONTROL_BYTES = 64 * 1024;

export const TAIL = 0;
export const HEAD = 128;
export const ROOM = 256;

export const FRAME_BYTES = 0;
export const FRAME_LINES = 4;
export const FRAME_FIRST_LINE = 8;
export const FRAME_FIRST_BYTE = 16;
export const FRAME_TIME = 24;
export const FRAME_FLAGS = 32;
export const HEADER_BYTES = 40;

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

if (HEADER_BYTES % UNIT !== 0) throw new Error("frames would lose their alignment");
