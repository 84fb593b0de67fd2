const LONGEST_UTF8_BYTES = 4;

/**
 * How many bytes the next piece has of a line that is too long, and that begins at
 * `from`: `maxBytes`, or up to 3 fewer so as not to cut a UTF-8 character. The byte
 * after a full piece must be there to be looked at.
 */
export function pieceLength(bytes: Uint8Array, from: number, maxBytes: number): number {
  for (let back = 0; back < LONGEST_UTF8_BYTES; back++) {
    const next = bytes[from + maxBytes - back]!;
    if ((next & 0xc0) !== 0x80) return maxBytes - back;
  }
  // A run of bytes that is no UTF-8.
  return maxBytes;
}
