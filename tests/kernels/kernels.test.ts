import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { kernels } from "../../src/kernels/kernels.ts";

const PAGE_BYTES = 64 * 1024;
const NEWLINE = 10;

function sharedMemory(pages = 1): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
}

function countByHand(bytes: Uint8Array): number {
  let count = 0;
  for (const byte of bytes) if (byte === NEWLINE) count++;
  return count;
}

/** Bytes of which many are newlines or look nearly like one. */
const lineBytes = fc.array(fc.constantFrom(NEWLINE, 0x0a ^ 0x80, 9, 11, 0, 255, 65), {
  minLength: 232,
  maxLength: 232,
}).map((values) => Uint8Array.from(values));

Deno.test("countNewlines counts what a plain loop counts, at every length and offset", () => {
  const memory = sharedMemory();
  const { countNewlines } = kernels(memory);
  const all = new Uint8Array(memory.buffer);
  fc.assert(
    fc.property(lineBytes, (bytes) => {
      all.set(bytes, 0);
      for (let offset = 0; offset < 32; offset += 3) {
        for (let length = 0; length <= 200; length++) {
          const expected = countByHand(bytes.subarray(offset, offset + length));
          if (countNewlines(offset, length) !== expected) {
            assertEquals(countNewlines(offset, length), expected, `${offset}+${length}`);
          }
        }
      }
    }),
    { numRuns: 20 },
  );
});

Deno.test("countNewlines does not look before or after its range", () => {
  const memory = sharedMemory();
  const { countNewlines } = kernels(memory);
  new Uint8Array(memory.buffer).fill(NEWLINE);
  for (let length = 0; length <= 200; length++) {
    assertEquals(countNewlines(1000 + length, length), length);
  }
  assertEquals(countNewlines(0, PAGE_BYTES), PAGE_BYTES);
  assertEquals(countNewlines(PAGE_BYTES, 0), 0);
});

Deno.test("copy moves exactly its range, also where source and destination overlap", () => {
  const memory = sharedMemory();
  const { copy } = kernels(memory);
  const all = new Uint8Array(memory.buffer, 0, 1024);
  const place = fc.nat(500);
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1024, maxLength: 1024 }),
      place,
      place,
      fc.nat(200),
      (bytes, to, from, length) => {
        all.set(bytes);
        copy(to, from, length);
        assertEquals([...all], [...bytes.copyWithin(to, from, from + length)]);
      },
    ),
    { numRuns: 50 },
  );
});

Deno.test("out of bounds, copy and countNewlines trap and change nothing", () => {
  const memory = sharedMemory();
  const { copy, countNewlines } = kernels(memory);
  assertThrows(() => copy(PAGE_BYTES - 4, 0, 5), WebAssembly.RuntimeError);
  assertThrows(() => copy(0, PAGE_BYTES - 4, 5), WebAssembly.RuntimeError);
  assertThrows(() => countNewlines(PAGE_BYTES - 4, 5), WebAssembly.RuntimeError);
  assertEquals(countNewlines(0, PAGE_BYTES), 0);
});

Deno.test("words are exact up to 2^53", () => {
  const { load, store, compareExchange } = kernels(sharedMemory());
  const words = [0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 52 + 1, 2 ** 53 - 1, 2 ** 53];
  for (const word of words) {
    store(64, word);
    assertEquals(load(64), word);
    assertEquals(compareExchange(64, word, 7), word);
    assertEquals(load(64), 7);
    assertEquals(load(56), 0);
    assertEquals(load(72), 0);
  }
});

Deno.test("compareExchange leaves a word that is not the expected one", () => {
  const { load, store, compareExchange } = kernels(sharedMemory());
  store(8, 2 ** 40 + 3);
  assertEquals(compareExchange(8, 3, 4), 2 ** 40 + 3);
  assertEquals(compareExchange(8, 2 ** 40, 4), 2 ** 40 + 3);
  assertEquals(load(8), 2 ** 40 + 3);
});

Deno.test("add takes amounts of 32 bits and carries into the high half", () => {
  const { add, load, store } = kernels(sharedMemory());
  store(16, 2 ** 32 - 1);
  add(16, 1);
  assertEquals(load(16), 2 ** 32);
  add(16, 2 ** 32 - 1);
  assertEquals(load(16), 2 ** 33 - 1);
  add(16, 2 ** 31);
  assertEquals(load(16), 2 ** 33 - 1 + 2 ** 31);
});

Deno.test("a word is what Atomics on 64-bit integers see", () => {
  const memory = sharedMemory();
  const { add, load, store } = kernels(memory);
  const words = new BigInt64Array(memory.buffer);
  store(24, 2 ** 53 - 1);
  assertEquals(Atomics.load(words, 3), 2n ** 53n - 1n);
  Atomics.store(words, 3, 2n ** 40n);
  add(24, 5);
  assertEquals(load(24), 2 ** 40 + 5);
});

Deno.test("a word that is not at a multiple of 8 traps", () => {
  const { add, load } = kernels(sharedMemory());
  assertThrows(() => load(4), WebAssembly.RuntimeError);
  assertThrows(() => add(12, 1), WebAssembly.RuntimeError);
});

const FIRST = 0xd6e8feb86659fd93n;
const SECOND = 0xa0761d6478bd642fn;

function bits64(value: bigint): bigint {
  return BigInt.asUintN(64, value);
}

function rotated(value: bigint, by: bigint): bigint {
  return bits64(value << by) | value >> 64n - by;
}

function mixed(sum: bigint, bytes: bigint): bigint {
  return bits64(rotated(bits64(sum + bits64(bytes * FIRST)), 31n) * SECOND);
}

/** What kernels.wat says, with whole numbers. */
function checksumByHand(bytes: Uint8Array, seed: number): number {
  const view = new DataView(bytes.slice().buffer);
  const start = mixed(BigInt(seed), BigInt(bytes.length));
  const sums = [0n, 16n, 32n, 48n].map((by) => rotated(start, by));
  let at = 0;
  for (; bytes.length - at >= 32; at += 32) {
    for (let lane = 0; lane < 4; lane++) {
      sums[lane] = mixed(sums[lane]!, view.getBigUint64(at + 8 * lane, true));
    }
  }
  let sum = sums.reduce(mixed);
  for (; bytes.length - at >= 8; at += 8) sum = mixed(sum, view.getBigUint64(at, true));
  for (; at < bytes.length; at++) sum = mixed(sum, BigInt(bytes[at]!));
  sum = bits64((sum ^ sum >> 32n) * 0x9fb21c651e98df25n);
  return Number((sum ^ sum >> 29n) >> 11n);
}

Deno.test("checksum is what its text says, at every length and offset", () => {
  const memory = sharedMemory();
  const { checksum } = kernels(memory);
  const all = new Uint8Array(memory.buffer);
  const seed = fc.integer({ min: 0, max: 2 ** 53 - 1 });
  const bytes = fc.uint8Array({ minLength: 0, maxLength: 150 });
  fc.assert(fc.property(bytes, fc.nat(20), seed, (bytes, offset, seed) => {
    all.set(bytes, offset);
    assertEquals(checksum(offset, bytes.length, seed), checksumByHand(bytes, seed));
  }));
});

Deno.test("checksum sees each bit, the length and the seed", () => {
  const memory = sharedMemory();
  const { checksum } = kernels(memory);
  const all = new Uint8Array(memory.buffer);
  for (const length of [0, 1, 7, 8, 31, 32, 44, 100, 4096]) {
    const sums = new Set([checksum(0, length, 1), checksum(0, length + 1, 1)]);
    sums.add(checksum(0, length, 2));
    for (let bit = 0; bit < 8 * length; bit++) {
      all[bit >> 3]! ^= 1 << (bit & 7);
      sums.add(checksum(0, length, 1));
      all[bit >> 3]! ^= 1 << (bit & 7);
    }
    assertEquals(sums.size, 3 + 8 * length);
  }
});
