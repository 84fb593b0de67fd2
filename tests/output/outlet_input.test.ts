import { assertEquals, assertNotEquals } from "@std/assert";
import type { Gap } from "../../src/formats/format.ts";
import { makeFormat, outputBytesFor } from "../../src/formats/formats.ts";
import { RECORDS_AT } from "../../src/formats/record_writer.ts";
import { MIN_CAPACITY } from "../../src/lane/lane.ts";
import { inputOf } from "../../src/output/outlet_input.ts";
import { laneOf } from "../lane/small_lane.ts";
import { FakeSink } from "./fake_sink.ts";

const MAX_LINE_BYTES = 1024;
const GAP: Gap = {
  reason: "overwritten",
  ...{ lines: 1, bytes: 2, from: 0, to: 0, nextLine: 1, nextByte: 2 },
};

Deno.test("what is around records outlasts a pause, whose memory is given back", () => {
  const outputBytes = outputBytesFor("json-file", MAX_LINE_BYTES);
  const lane = laneOf(MIN_CAPACITY, 0, MAX_LINE_BYTES, outputBytes);
  const context = { run: "run", startTime: 0, sink: new FakeSink() };
  const { stream, pages } = inputOf({ label: "stdout", lane }, context, []);
  const format = makeFormat("json-file", { maxLineBytes: MAX_LINE_BYTES, host: "" });
  format.marker(GAP, stream);
  const { memory, outputAt } = stream;
  const textsAndTable = memory.slice(outputAt, outputAt + RECORDS_AT);
  assertNotEquals(textsAndTable, new Uint8Array(RECORDS_AT));
  memory.fill(1, outputAt + RECORDS_AT, outputAt + outputBytes);

  pages.use(0);
  while (pages.deadlineMs !== Infinity) pages.tick(pages.deadlineMs, true);
  assertEquals(memory.slice(outputAt, outputAt + RECORDS_AT), textsAndTable);
  assertEquals(
    memory[outputAt + Math.floor(outputBytes / 2)],
    0,
    "the rest is given back",
  );
});
