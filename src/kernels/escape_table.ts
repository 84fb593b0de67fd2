/**
 * What the `encode` kernel replaces, as it is laid out in memory:
 *
 *      byte 0     classes of low nibbles     16 bytes
 *      byte 16    classes of high nibbles    16 bytes
 *      byte 32    entries, 8 bytes each:     0 … 255 by byte, then 256, 257, 258
 *
 * A byte needs a look if the classes of its nibbles have a bit in common; all
 * others are copied. An entry of a byte below 0x80 is `[length, text…]`; that of a
 * first byte of a UTF-8 character `[its length, lowest and highest second byte]`,
 * all other bytes have length 0 and are no character. Entry 256 replaces such
 * a byte, 257 and 258 replace U+2028 and U+2029, or have length 0.
 */

const ENTRIES = 32;
export const ENTRY_BYTES = 8;
const INVALID = 256;
const LINE_SEPARATOR = 257;
const PARAGRAPH_SEPARATOR = 258;
/** The kernel reads an entry's text as 8 bytes. */
export const ESCAPE_TABLE_BYTES = ENTRIES + 260 * ENTRY_BYTES;

const encoder = new TextEncoder();

export interface Escapes {
  /** Replacements of bytes below 0x80, at most 7 bytes each. */
  readonly ascii: ReadonlyMap<number, string>;
  /** What stands for a byte that is no UTF-8. */
  readonly invalid: string;
  /** What stands for U+2028 and U+2029, if they are not to be copied. */
  readonly separators?: readonly [string, string];
}

export function escapeTable({ ascii, invalid, separators }: Escapes): Uint8Array {
  const table = new Uint8Array(ESCAPE_TABLE_BYTES);
  const setText = (index: number, text: string) => {
    const bytes = encoder.encode(text);
    if (bytes.length >= ENTRY_BYTES) throw new Error(`"${text}" is too long an escape`);
    table.set([bytes.length, ...bytes], ENTRIES + index * ENTRY_BYTES);
  };
  for (const [byte, text] of ascii) setText(byte, text);
  setText(INVALID, invalid);
  setText(LINE_SEPARATOR, separators?.[0] ?? "");
  setText(PARAGRAPH_SEPARATOR, separators?.[1] ?? "");
  for (let byte = 0xc2; byte <= 0xf4; byte++) {
    table.set(firstByte(byte), ENTRIES + byte * ENTRY_BYTES);
  }
  table.set(nibbleClasses(ascii), 0);
  return table;
}

/** The Unicode Standard, table 3-7: well-formed UTF-8 byte sequences. */
function firstByte(byte: number): [length: number, low: number, high: number] {
  if (byte < 0xe0) return [2, 0x80, 0xbf];
  if (byte < 0xf0) return [3, byte === 0xe0 ? 0xa0 : 0x80, byte === 0xed ? 0x9f : 0xbf];
  return [4, byte === 0xf0 ? 0x90 : 0x80, byte === 0xf4 ? 0x8f : 0xbf];
}

const NOT_ASCII_CLASS = 1;

/** High nibbles of the same set of low ones share a class, one bit of eight. */
function nibbleClasses(ascii: ReadonlyMap<number, string>): Uint8Array {
  const classes = new Uint8Array(ENTRIES).fill(NOT_ASCII_CLASS, 0, 16);
  classes.fill(NOT_ASCII_CLASS, 24, 32);
  const bits = new Map<string, number>();
  for (let high = 0; high < 8; high++) {
    const lows = Array.from({ length: 16 }, (_, low) => low)
      .filter((low) => ascii.has(high * 16 + low));
    if (lows.length === 0) continue;
    const bit = bits.get(`${lows}`) ?? NOT_ASCII_CLASS << (bits.size + 1);
    if (bit > 0x80) throw new Error("the escapes need more than eight classes");
    bits.set(`${lows}`, bit);
    classes[16 + high] = bit;
    for (const low of lows) classes[low]! |= bit;
  }
  return classes;
}
