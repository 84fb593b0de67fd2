import { assert, assertEquals } from "@std/assert";
import { UnusedPages } from "../../src/lane/unused_pages.ts";

const MEMORY_BYTES = 64 * 1024;
const AREA = { at: 5000, bytes: 30_000 };
/** More than the time after which pages are given back. */
const LONG_MS = 10_000;

function setUp(): { pages: UnusedPages; bytes: Uint8Array } {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const bytes = new Uint8Array(memory.buffer).fill(1);
  return { pages: new UnusedPages(memory, [AREA]), bytes };
}

function ones(bytes: Uint8Array): number {
  return bytes.reduce((sum, byte) => sum + byte, 0);
}

/** Whatever is due until nothing is. */
function tickAll(pages: UnusedPages, nowMs: number): void {
  while (pages.deadlineMs <= nowMs) pages.tick(nowMs, true);
}

Deno.test("what was not used for long is given back, and nothing beside it", () => {
  const { pages, bytes } = setUp();
  pages.use(0);
  tickAll(pages, LONG_MS);
  assertEquals(pages.deadlineMs, Infinity);
  const end = AREA.at + AREA.bytes;
  assertEquals(ones(bytes.subarray(0, AREA.at)), AREA.at);
  assertEquals(ones(bytes.subarray(end)), MEMORY_BYTES - end);
  assert(ones(bytes.subarray(AREA.at, end)) < AREA.bytes);
});

Deno.test("what was used a moment ago stays", () => {
  const { pages, bytes } = setUp();
  pages.use(0);
  pages.use(LONG_MS);
  tickAll(pages, LONG_MS + 1);
  assertEquals(ones(bytes), MEMORY_BYTES);
});

Deno.test("what is needed stays, and is looked at again", () => {
  const { pages, bytes } = setUp();
  pages.use(0);
  pages.tick(LONG_MS, false);
  assertEquals(ones(bytes), MEMORY_BYTES);
  assert(pages.deadlineMs > LONG_MS && pages.deadlineMs < 2 * LONG_MS);
});

Deno.test("nothing is due before something was used", () => {
  assertEquals(setUp().pages.deadlineMs, Infinity);
});
