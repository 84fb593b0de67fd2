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

/**
 * How many bytes before `to` begin a UTF-8 character whose rest has not come yet, 0 to 3;
 * none of them is before `from`.
 */
export function unfinishedCharacter(bytes: Uint8Array, from: number, to: number): number {
  for (let back = 1; back < LONGEST_UTF8_BYTES && to - back >= from; back++) {
    const byte = bytes[to - back]!;
    if ((byte & 0xc0) === 0x80) continue;
    return characterLength(byte) > back ? back : 0;
  }
  return 0;
}

/** By its first byte; 1 for a byte that begins none. */
function characterLength(first: number): number {
  if (first < 0xc2 || first > 0xf4) return 1;
  return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}
