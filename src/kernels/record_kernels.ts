/** The kernels that turn lines into records; see kernels.ts. */

import { ENTRIES, ENTRY_BYTES, INVALID, LINE_SEPARATOR } from "./escape_table.ts";
import {
  BLOCK,
  BR,
  BR_IF,
  END,
  GET,
  i32,
  I32_ADD,
  I32_AND,
  I32_CTZ,
  I32_EQ,
  I32_EQZ,
  I32_GT_U,
  I32_LT_U,
  I32_NE,
  I32_OR,
  I32_SHL,
  I32_SUB,
  i32Load,
  i32Load16,
  i32Load8,
  i32Store,
  i64Load,
  i64Store,
  I8X16_BITMASK,
  I8X16_EQ,
  I8X16_NE,
  I8X16_SHR_U,
  I8X16_SPLAT,
  I8X16_SWIZZLE,
  IF,
  LOOP,
  RETURN,
  SELECT,
  SET,
  TEE,
  UNREACHABLE,
  V128_AND,
  v128Load,
  v128Store,
  VOID,
} from "./wasm_words.ts";

const NEWLINE = 10;
const WIDTH = 16;

/** Adds to the lanes on the stack, a bit each, one that stands for the end of the range. */
function withEnd(position: number, end: number, scratch: number): number[] {
  return [
    ...[...i32(1), GET, end, GET, position, I32_SUB, TEE, scratch],
    ...[...i32(WIDTH), GET, scratch, ...i32(WIDTH), I32_LT_U, SELECT],
    ...[I32_SHL, I32_OR],
  ];
}

// Locals: 0 position, 1 length and then the end, 2 count of lanes before the newline.
export const INDEX_OF_NEWLINE = [
  ...[GET, 0, GET, 1, I32_ADD, SET, 1], // end = position + length
  ...[LOOP, VOID], //                      do {
  ...[GET, 0, ...v128Load(0)], //            count = lanes before "\n" or the end
  ...[...i32(NEWLINE), ...I8X16_SPLAT, ...I8X16_EQ, ...I8X16_BITMASK],
  ...[...withEnd(0, 1, 2), I32_CTZ, TEE, 2],
  ...[GET, 0, I32_ADD, SET, 0], //           position += count
  ...[GET, 2, ...i32(WIDTH), I32_EQ], //   } while (count == 16)
  ...[BR_IF, 0, END],
  ...[GET, 0], //                          return position
];

const TO = 0;
const FROM = 1;
const LIMIT = 2;
const TABLE = 3;
/** A count of lanes, a byte, or the length of a character. */
const N = 4;
/** Address of an entry, less ENTRIES. */
const ENTRY = 5;

const entry = (index: number) => ENTRIES + index * ENTRY_BYTES;

/** Adds what is on the stack to a local. */
const addTo = (local: number) => [GET, local, I32_ADD, SET, local];

/** Writes the text of the entry `offset` bytes after the address in `base`. */
const writeText = (base: number, offset: number) => [
  ...[GET, TO, GET, base, ...i64Load(offset + 1), ...i64Store(0)],
  ...[GET, base, ...i32Load8(offset), ...addTo(TO)],
];

/** True when the byte at FROM + offset does not go on with a character. */
const breaksOff = (offset: number) => [
  ...[GET, FROM, ...i32Load8(offset), ...i32(0xc0), I32_AND, ...i32(0x80), I32_NE],
];

// Parameters: to, from, length, table.
export const ENCODE = [
  ...[GET, FROM, ...addTo(LIMIT)], //      limit = from + length
  ...[LOOP, VOID], //                      for (;;) {
  ...[GET, TO, GET, FROM, ...v128Load(0), ...v128Store(0)], // copy 16 bytes
  ...[GET, TABLE, ...v128Load(0)], //        n = lanes before one that needs a look
  ...[GET, FROM, ...v128Load(0), ...i32(15), ...I8X16_SPLAT, ...V128_AND],
  ...I8X16_SWIZZLE,
  ...[GET, TABLE, ...v128Load(16)],
  ...[GET, FROM, ...v128Load(0), ...i32(4), ...I8X16_SHR_U],
  ...I8X16_SWIZZLE,
  ...[...V128_AND, ...i32(0), ...I8X16_SPLAT, ...I8X16_NE, ...I8X16_BITMASK],
  ...[...withEnd(FROM, LIMIT, N), I32_CTZ, TEE, N, ...addTo(FROM)], // from += n
  ...[GET, N, ...addTo(TO)], //              to += n
  ...[GET, FROM, GET, LIMIT, I32_EQ, IF, VOID, GET, TO, RETURN, END],
  ...[GET, N, ...i32(WIDTH), I32_EQ, BR_IF, 0], // if (n == 16) continue

  ...[GET, FROM, ...i32Load8(0), TEE, N], // n = the byte
  ...[...i32(3), I32_SHL, GET, TABLE, I32_ADD, SET, ENTRY],
  ...[GET, N, ...i32(0x80), I32_LT_U, IF, VOID], // if (n < 0x80) {
  ...[...writeText(ENTRY, ENTRIES), ...i32(1), ...addTo(FROM)],
  ...[BR, 1, END], //                          continue }

  ...[BLOCK, VOID], //                       invalid: {
  ...[GET, ENTRY, ...i32Load8(ENTRIES), TEE, N], // n = length of the character
  ...[I32_EQZ, BR_IF, 0],
  ...[GET, N, GET, LIMIT, GET, FROM, I32_SUB, I32_GT_U, BR_IF, 0],
  ...[GET, FROM, ...i32Load8(1), GET, ENTRY, ...i32Load8(ENTRIES + 1)],
  ...[I32_LT_U, BR_IF, 0],
  ...[GET, FROM, ...i32Load8(1), GET, ENTRY, ...i32Load8(ENTRIES + 2)],
  ...[I32_GT_U, BR_IF, 0],
  ...[...i32(2), GET, N, I32_LT_U, IF, VOID, ...breaksOff(2), BR_IF, 1, END],
  ...[...i32(3), GET, N, I32_LT_U, IF, VOID, ...breaksOff(3), BR_IF, 1, END],
  ...[BLOCK, VOID], //                         plain: {
  ...[GET, FROM, ...i32Load16(0), ...i32(0x80e2), I32_NE, BR_IF, 0],
  ...[GET, FROM, ...i32Load8(2), ...i32(0xfe), I32_AND, ...i32(0xa8), I32_NE, BR_IF, 0],
  ...[GET, FROM, ...i32Load8(2), ...i32(1), I32_AND, ...i32(3), I32_SHL],
  ...[GET, TABLE, I32_ADD, TEE, ENTRY], //       U+2028 or U+2029
  ...[...i32Load8(entry(LINE_SEPARATOR)), I32_EQZ, BR_IF, 0],
  ...writeText(ENTRY, entry(LINE_SEPARATOR)),
  ...[...i32(3), ...addTo(FROM)],
  ...[BR, 2, END], //                            continue }
  ...[GET, TO, GET, FROM, ...i32Load(0), ...i32Store(0)], // copy the character
  ...[GET, N, ...addTo(TO), GET, N, ...addTo(FROM)],
  ...[BR, 1, END], //                          continue }
  ...writeText(TABLE, entry(INVALID)), //    replace one byte
  ...[...i32(1), ...addTo(FROM)],
  ...[BR, 0, END], //                      }
  UNREACHABLE,
];
