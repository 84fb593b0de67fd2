/**
 * What JavaScript has no fast word for on shared memory, as a WebAssembly module
 * of a kilobyte:
 *
 *  - `copy`: `TypedArray.set` on shared memory copies byte by byte wherever source
 *    and destination are aligned differently; `memory.copy` does not.
 *  - `countNewlines`, `indexOfNewline`, `encode`: 16 bytes at a time with SIMD.
 *  - 64-bit atomics without BigInt: `Atomics` on 64-bit words allocates an object
 *    for every value. Values are whole numbers up to 2^53, and exact.
 *
 * Instructions are those of https://webassembly.github.io/spec/core/binary/ and,
 * for the atomic ones, https://webassembly.github.io/threads/.
 */

import {
  BLOCK,
  BR,
  BR_IF,
  DROP,
  END,
  F64,
  F64_CONVERT_I64_U,
  GET,
  I16X8_EXTADD_PAIRWISE_I8X16_S,
  I32,
  i32,
  I32_ADD,
  I32_EQ,
  I32_LT_U,
  I32_POPCNT,
  I32_SUB,
  i32Load8,
  I32X4_EXTADD_PAIRWISE_I16X8_S,
  I32X4_SUB,
  i32x4ExtractLane,
  I64_ATOMIC_ADD,
  I64_ATOMIC_CMPXCHG,
  I64_ATOMIC_LOAD,
  I64_ATOMIC_STORE,
  I64_EXTEND_I32_U,
  I64_TRUNC_F64_U,
  I8X16_ADD,
  I8X16_BITMASK,
  I8X16_EQ,
  I8X16_SPLAT,
  leb,
  LOOP,
  MEMORY_COPY,
  SET,
  V128,
  v128Load,
  VOID,
} from "./wasm_words.ts";
import { ENCODE, INDEX_OF_NEWLINE } from "./record_kernels.ts";

/** All `at`, `from` and `to` are offsets in the memory. Everything out of bounds traps. */
export interface Kernels {
  /** Copies `length` bytes; the ranges may overlap. */
  copy(to: number, from: number, length: number): void;
  countNewlines(from: number, length: number): number;
  /** Offset of the first newline, or the end of the range. */
  indexOfNewline(from: number, length: number): number;
  /**
   * Copies `length` bytes and replaces what the escape table at `table` says; see
   * escape_table.ts. Writes up to 15 bytes more than it says. Returns the end.
   */
  encode(to: number, from: number, length: number, table: number): number;
  /** The word at a multiple of 8; sequentially consistent, as the three that follow. */
  load(at: number): number;
  store(at: number, value: number): void;
  /** Adds to the word, from 0 to 2^32 - 1. */
  add(at: number, amount: number): void;
  /** Stores `value` if the word is `expected`; returns what it was. */
  compareExchange(at: number, expected: number, value: number): number;
}

const NEWLINE = 10;

// Locals: 0 position, 1 length and then the end, 2 count, 3 sixteen newlines,
// 4 count so far in four parts. A lane that is equal is -1.
const laneIsNewline = (offset: number) => [
  ...[GET, 0, ...v128Load(offset), GET, 3, ...I8X16_EQ],
];
const COUNT_NEWLINES = [
  ...[GET, 0, GET, 1, I32_ADD, SET, 1], // end = position + length
  ...[...i32(NEWLINE), ...I8X16_SPLAT, SET, 3],
  ...[BLOCK, VOID, LOOP, VOID], //         while (end - position >= 64) {
  ...[GET, 1, GET, 0, I32_SUB, ...i32(64), I32_LT_U, BR_IF, 1],
  ...[GET, 4], //                              parts -= lanes equal to "\n"
  ...[...laneIsNewline(0), ...laneIsNewline(16), ...I8X16_ADD],
  ...[...laneIsNewline(32), ...laneIsNewline(48), ...I8X16_ADD, ...I8X16_ADD],
  ...[...I16X8_EXTADD_PAIRWISE_I8X16_S, ...I32X4_EXTADD_PAIRWISE_I16X8_S],
  ...[...I32X4_SUB, SET, 4],
  ...[GET, 0, ...i32(64), I32_ADD, SET, 0], // position += 64
  ...[BR, 0, END, END], //                 }
  ...[0, 1, 2, 3].flatMap((lane) => [ //   count = sum of the parts
    ...[GET, 2, GET, 4, ...i32x4ExtractLane(lane), I32_ADD, SET, 2],
  ]),
  ...[BLOCK, VOID, LOOP, VOID], //         while (end - position >= 16) {
  ...[GET, 1, GET, 0, I32_SUB, ...i32(16), I32_LT_U, BR_IF, 1],
  ...[GET, 2, ...laneIsNewline(0)], //         count += lanes equal to "\n"
  ...[...I8X16_BITMASK, I32_POPCNT, I32_ADD, SET, 2],
  ...[GET, 0, ...i32(16), I32_ADD, SET, 0], // position += 16
  ...[BR, 0, END, END], //                 }
  ...[BLOCK, VOID, LOOP, VOID], //         while (position != end) {
  ...[GET, 0, GET, 1, I32_EQ, BR_IF, 1],
  ...[GET, 2, GET, 0, ...i32Load8(0)], //    count += byte == "\n"
  ...[...i32(NEWLINE), I32_EQ, I32_ADD, SET, 2],
  ...[GET, 0, ...i32(1), I32_ADD, SET, 0], // position += 1
  ...[BR, 0, END, END], //                 }
  ...[GET, 2], //                          return count
];

interface Definition {
  readonly parameters: number[];
  readonly results: number[];
  /** Locals beside the parameters: i32 first, and then vectors. */
  readonly locals: number;
  readonly vectors?: number;
  readonly code: number[];
}

const FUNCTIONS: Record<keyof Kernels, Definition> = {
  copy: {
    parameters: [I32, I32, I32],
    results: [],
    locals: 0,
    code: [GET, 0, GET, 1, GET, 2, ...MEMORY_COPY],
  },
  countNewlines: {
    parameters: [I32, I32],
    results: [I32],
    locals: 1,
    vectors: 2,
    code: COUNT_NEWLINES,
  },
  indexOfNewline: {
    parameters: [I32, I32],
    results: [I32],
    locals: 1,
    code: INDEX_OF_NEWLINE,
  },
  encode: {
    parameters: [I32, I32, I32, I32],
    results: [I32],
    locals: 2,
    code: ENCODE,
  },
  load: {
    parameters: [I32],
    results: [F64],
    locals: 0,
    code: [GET, 0, ...I64_ATOMIC_LOAD, F64_CONVERT_I64_U],
  },
  store: {
    parameters: [I32, F64],
    results: [],
    locals: 0,
    code: [GET, 0, GET, 1, I64_TRUNC_F64_U, ...I64_ATOMIC_STORE],
  },
  add: {
    parameters: [I32, I32],
    results: [],
    locals: 0,
    code: [GET, 0, GET, 1, I64_EXTEND_I32_U, ...I64_ATOMIC_ADD, DROP],
  },
  compareExchange: {
    parameters: [I32, F64, F64],
    results: [F64],
    locals: 0,
    code: [
      ...[GET, 0, GET, 1, I64_TRUNC_F64_U, GET, 2, I64_TRUNC_F64_U],
      ...[...I64_ATOMIC_CMPXCHG, F64_CONVERT_I64_U],
    ],
  },
};

/** The largest 32-bit memory: 65,536 pages of 64 KiB. */
export const MAX_PAGES = 65_536;
const SHARED_WITH_MAXIMUM = 3;
const MEMORY = 2;
const FUNCTION = 0;
const FUNCTION_TYPE = 0x60;

function vector(items: readonly number[][]): number[] {
  return [...leb(items.length), ...items.flat()];
}

function text(name: string): number[] {
  return [...leb(name.length), ...new TextEncoder().encode(name)];
}

function section(id: number, content: number[]): number[] {
  return [id, ...leb(content.length), ...content];
}

function body({ locals, vectors = 0, code }: Definition): number[] {
  const content = [...vector([[locals, I32], [vectors, V128]]), ...code, END];
  return [...leb(content.length), ...content];
}

function assemble(): Uint8Array<ArrayBuffer> {
  const names = Object.keys(FUNCTIONS);
  const all = Object.values(FUNCTIONS);
  const types = all.map(({ parameters, results }) => [
    FUNCTION_TYPE,
    ...leb(parameters.length),
    ...parameters,
    ...leb(results.length),
    ...results,
  ]);
  const limits = [SHARED_WITH_MAXIMUM, 1, ...leb(MAX_PAGES)];
  return new Uint8Array([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0], // "\0asm", version 1
    ...section(1, vector(types)),
    ...section(2, vector([[...text("shared"), ...text("memory"), MEMORY, ...limits]])),
    ...section(3, vector(all.map((_, index) => [index]))),
    ...section(7, vector(names.map((name, index) => [...text(name), FUNCTION, index]))),
    ...section(10, vector(all.map(body))),
  ]);
}

let compiled: WebAssembly.Module | undefined;

/** The functions over one shared memory, for the calling thread. */
export function kernels(memory: WebAssembly.Memory): Kernels {
  compiled ??= new WebAssembly.Module(assemble());
  const instance = new WebAssembly.Instance(compiled, { shared: { memory } });
  return instance.exports as unknown as Kernels;
}
