/** How the records of a piece become the bytes of a stream. */

import { SinkRejection } from "../../errors.ts";
import type { Outgoing } from "../../formats/format.ts";
import { MAX_CHUNK_BYTES, type ResendWindow } from "./resend_window.ts";

/**
 * Moves what comes from byte `from` of a piece on into the window, as one chunk, and
 * says how many bytes of the piece that were.
 */
export type Framing = (piece: Outgoing, from: number, window: ResendWindow) => number;

/** A chunk is not longer, unless it holds but one record. */
const CHUNK_BYTES = 64 * 1024;

/** As they are: every record ends with its newline. */
export const newlineFraming: Framing = (piece, from, window) => {
  const limit = Math.min(piece.length, from + CHUNK_BYTES);
  // A record that is longer than a chunk goes in several.
  const boundary = limit < piece.length ? piece.recordStart(limit) : limit;
  const end = boundary > from ? boundary : limit;
  window.append(piece.bytes.subarray(from, end));
  window.endChunk(
    end === piece.length ? piece.endsInside : piece.recordStart(end) !== end,
  );
  return end - from;
};

const encoder = new TextEncoder();

/**
 * RFC 6587, octet counting: before each message its length, and no newline after it.
 *
 * @throws SinkRejection for a message that no chunk can hold.
 */
export const octetCounting: Framing = (piece, from, window) => {
  const { bytes } = piece;
  let framed = 0;
  let at = from;
  while (at < piece.length) {
    const end = piece.recordEnd(at);
    const messageBytes = end - 1 - at;
    const header = encoder.encode(`${messageBytes} `);
    const length = header.length + messageBytes;
    if (framed > 0 && framed + length > CHUNK_BYTES) break;
    if (length > MAX_CHUNK_BYTES) {
      throw new SinkRejection(
        `a message of ${messageBytes} bytes is longer than what is sent; a smaller --max-line splits such lines`,
        end - at,
      );
    }
    window.append(header);
    window.append(bytes.subarray(at, end - 1));
    framed += length;
    at = end;
  }
  window.endChunk(false);
  return at - from;
};
