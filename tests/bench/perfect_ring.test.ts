import { assertEquals } from "@std/assert";
import { mustLose, PIPE_BYTES } from "./perfect_ring.ts";
import type { SinkReads } from "./sink.ts";

const START = 1_000_000;

/** Writes of as much as the pipe holds, one each microsecond from 1 on. */
function writes(count: number) {
  return {
    bytes: count * PIPE_BYTES,
    startMicros: START,
    writeEnds: Float64Array.from({ length: count }, (_, at) => at + 1),
    writeSizes: new Uint32Array(count).fill(PIPE_BYTES),
  };
}

function reads(...events: readonly [micros: number, bytes: number][]): SinkReads {
  return {
    micros: events.map(([micros]) => START + micros),
    bytes: events.map(([, bytes]) => bytes),
  };
}

Deno.test("a perfect ring loses nothing until it and the pipe behind it are full", () => {
  assertEquals(mustLose(writes(4), reads(), 4 * PIPE_BYTES - PIPE_BYTES), 0);
  assertEquals(mustLose(writes(5), reads(), 4 * PIPE_BYTES - PIPE_BYTES), PIPE_BYTES);
});

Deno.test("what is read makes room for what is written after it, not before", () => {
  const capacity = 2 * PIPE_BYTES - PIPE_BYTES;
  assertEquals(mustLose(writes(3), reads([2.5, 1000]), capacity), PIPE_BYTES - 1000);
  assertEquals(mustLose(writes(3), reads([3.5, PIPE_BYTES]), capacity), PIPE_BYTES);
});

Deno.test("a sink that waited in vain would have got all there was", () => {
  const capacity = 2 * PIPE_BYTES - PIPE_BYTES;
  assertEquals(mustLose(writes(4), reads([2.5, Infinity]), capacity), 0);
  assertEquals(mustLose(writes(5), reads([2.5, Infinity]), capacity), PIPE_BYTES);
});

Deno.test("what was written before the clock started is held as well", () => {
  const load = { ...writes(2), bytes: 3 * PIPE_BYTES };
  assertEquals(mustLose(load, reads(), 2 * PIPE_BYTES - PIPE_BYTES), PIPE_BYTES);
});

Deno.test("the pipe held what a sink found in it after a pause", () => {
  const found = reads([0, 1], [10_000, PIPE_BYTES - 1000], [10_001, PIPE_BYTES]);
  assertEquals(mustLose(writes(3), found, 2 * PIPE_BYTES), 1000);
});
