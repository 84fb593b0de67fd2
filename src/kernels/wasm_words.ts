/**
 * The words of WebAssembly's binary format that the kernels are written in:
 * https://webassembly.github.io/spec/core/binary/instructions.html
 */

export const I32 = 0x7f;
export const F64 = 0x7c;
export const V128 = 0x7b;
export const VOID = 0x40;
export const UNREACHABLE = 0x00;
export const BLOCK = 0x02;
export const LOOP = 0x03;
export const IF = 0x04;
export const BR = 0x0c;
export const BR_IF = 0x0d;
export const RETURN = 0x0f;
export const DROP = 0x1a;
export const SELECT = 0x1b;
export const END = 0x0b;
export const GET = 0x20;
export const SET = 0x21;
export const TEE = 0x22;
export const I32_EQZ = 0x45;
export const I32_EQ = 0x46;
export const I32_NE = 0x47;
export const I32_LT_U = 0x49;
export const I32_GT_U = 0x4b;
export const I32_CTZ = 0x68;
export const I32_POPCNT = 0x69;
export const I32_ADD = 0x6a;
export const I32_SUB = 0x6b;
export const I32_AND = 0x71;
export const I32_OR = 0x72;
export const I32_SHL = 0x74;
export const I64_EXTEND_I32_U = 0xad;
export const I64_TRUNC_F64_U = 0xb1;
export const F64_CONVERT_I64_U = 0xba;
export const MEMORY_COPY = [0xfc, 0x0a, 0, 0];
export const I8X16_SWIZZLE = [0xfd, 0x0e];
export const I8X16_SPLAT = [0xfd, 0x0f];
export const I8X16_EQ = [0xfd, 0x23];
export const I8X16_NE = [0xfd, 0x24];
export const I8X16_ADD = [0xfd, 0x6e];
export const V128_AND = [0xfd, 0x4e];
export const I8X16_BITMASK = [0xfd, 0x64];
export const I8X16_SHR_U = [0xfd, 0x6d];
export const I16X8_EXTADD_PAIRWISE_I8X16_S = [0xfd, 0x7c];
export const I32X4_EXTADD_PAIRWISE_I16X8_S = [0xfd, 0x7e];
export const I32X4_SUB = [0xfd, 0xb1, 0x01];
const ALIGNED_8 = [3, 0];
export const I64_ATOMIC_LOAD = [0xfe, 0x11, ...ALIGNED_8];
export const I64_ATOMIC_STORE = [0xfe, 0x18, ...ALIGNED_8];
export const I64_ATOMIC_ADD = [0xfe, 0x1f, ...ALIGNED_8];
export const I64_ATOMIC_CMPXCHG = [0xfe, 0x49, ...ALIGNED_8];

/** Loads and stores at any address, `offset` bytes after the one on the stack. */
export const i32Load8 = (offset: number) => [0x2d, 0, ...leb(offset)];
export const i32Load16 = (offset: number) => [0x2f, 0, ...leb(offset)];
export const i32Load = (offset: number) => [0x28, 0, ...leb(offset)];
export const i64Load = (offset: number) => [0x29, 0, ...leb(offset)];
export const i32Store = (offset: number) => [0x36, 0, ...leb(offset)];
export const i64Store = (offset: number) => [0x37, 0, ...leb(offset)];
export const v128Load = (offset: number) => [0xfd, 0x00, 0, ...leb(offset)];
export const v128Store = (offset: number) => [0xfd, 0x0b, 0, ...leb(offset)];

export const i32x4ExtractLane = (lane: number) => [0xfd, 0x1b, lane];

/** A constant, from 0 to 2^31 - 1. */
export const i32 = (value: number) => [0x41, ...signedLeb(value)];

/** Unsigned LEB128. */
export function leb(value: number): number[] {
  return value < 128 ? [value] : [value % 128 + 128, ...leb(Math.floor(value / 128))];
}

/** LEB128 whose last byte leaves bit 6, the sign, at 0. */
function signedLeb(value: number): number[] {
  return value < 64
    ? [value]
    : [value % 128 + 128, ...signedLeb(Math.floor(value / 128))];
}
