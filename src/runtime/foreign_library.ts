/**
 * Opens a library of C functions under Deno and under Bun, which name the same machine
 * types differently.
 */

import process from "node:process";

/** `int` has 32 bits, `address` 64. */
type MachineType = "int" | "address";
/** What a function takes, and what it returns. */
export type Signature = readonly [readonly MachineType[], MachineType | "none"];
export type CFunction = (...args: number[]) => number;

export interface ForeignLibrary {
  /** @throws Error when the library has no such function. */
  find(name: string, signature: Signature): CFunction;
  /** Address of the first byte, good as long as `bytes` is kept. */
  addressOf(bytes: Uint8Array): number;
  /** `length` bytes of foreign memory, not copied. */
  memoryAt(address: number, length: number): ArrayBuffer;
}

/** @param name as the system's loader takes it */
export function openLibrary(name: string): ForeignLibrary {
  return "Bun" in globalThis ? openWithBun(name) : openWithDeno(name);
}

function openWithDeno(library: string): ForeignLibrary {
  const types = { int: "i32", address: "usize" } as const;
  return {
    find: (name, [parameters, result]) => {
      const { symbols } = Deno.dlopen(library, {
        [name]: {
          parameters: parameters.map((type) => types[type]),
          result: result === "none" ? "void" : types[result],
        },
      });
      return symbols[name] as unknown as CFunction;
    },
    addressOf: (bytes) =>
      Number(Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes as BufferSource))),
    memoryAt: (address, length) => {
      const pointer = Deno.UnsafePointer.create(BigInt(address));
      if (pointer === null) throw new Error("the C library returned a null pointer");
      return Deno.UnsafePointerView.getArrayBuffer(pointer, length);
    },
  };
}

/** The part of `bun:ffi` that is used: https://bun.com/docs/api/ffi */
interface BunFfi {
  dlopen(
    library: string,
    symbols: Record<string, { args: readonly string[]; returns: string }>,
  ): { symbols: Record<string, CFunction> };
  ptr(bytes: Uint8Array): number;
  toArrayBuffer(address: number, offset: number, length: number): ArrayBuffer;
}

function openWithBun(library: string): ForeignLibrary {
  const ffi = process.getBuiltinModule("bun:ffi") as unknown as BunFfi;
  const types = { int: "i32", address: "ptr", none: "void" } as const;
  return {
    find: (name, [parameters, result]) => {
      const args = parameters.map((type) => types[type]);
      const { symbols } = ffi.dlopen(library, {
        [name]: { args, returns: types[result] },
      });
      return symbols[name]!;
    },
    addressOf: (bytes) => ffi.ptr(bytes),
    memoryAt: (address, length) => ffi.toArrayBuffer(address, 0, length),
  };
}
