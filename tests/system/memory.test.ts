import { assert, assertEquals, assertThrows } from "@std/assert";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { setTimeout as pause } from "node:timers/promises";
import { close, O_RDONLY, open, read, write } from "../../src/system/descriptors.ts";
import {
  addressOf,
  addressOfMemory,
  cString,
  cStringAt,
  stringAt,
} from "../../src/system/memory.ts";
import { pipe } from "../../src/system/pipes.ts";
import { readText, writeText } from "./text_io.ts";

Deno.test("a path with NUL is refused instead of being cut", () => {
  assertThrows(() => open("/dev/null\0.log", O_RDONLY), RangeError, "NUL");
});

Deno.test("C gets a text whole, however long, and several for one call", () => {
  // PATH_MAX is 4096, with the NUL.
  for (const length of [0, 1, 4094, 4095, 4096, 10_000]) {
    const text = "x".repeat(length);
    assertEquals(stringAt(cStringAt(text)), text);
    assertEquals(stringAt(cStringAt(`${text}ä`)), `${text}ä`);
  }
  const [from, to] = [cStringAt("from"), cStringAt("to")];
  assertEquals([stringAt(from), stringAt(to)], ["from", "to"]);
});

Deno.test("reads go into WebAssembly memory, at the address of its offsets", () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const [readEnd, writeEnd] = pipe();
  writeText(writeEnd, "into memory");
  assertEquals(read(readEnd, addressOfMemory(memory) + 1000, 11), 11);
  const bytes = new Uint8Array(memory.buffer).slice(999, 1012);
  assertEquals(new TextDecoder().decode(bytes), "\0into memory\0");
  assertEquals(write(writeEnd, addressOfMemory(memory) + 1005, 6), 6);
  assertEquals(readText(readEnd), "memory");
  close(readEnd);
  close(writeEnd);
});

Deno.test("what a call is given the addresses of is there for as long as it takes", async () => {
  setFlagsFromString("--expose-gc");
  const collectGarbage = runInNewContext("gc") as () => void;
  const given = ["one", "two", "three", "four"].map((text) => {
    const bytes = cString(text);
    addressOf(bytes);
    return new WeakRef(bytes);
  });
  // A WeakRef keeps what it leads to until the end of the turn that it was made in.
  await pause(0);
  collectGarbage();
  for (const bytes of given) assert(bytes.deref() !== undefined);
});
