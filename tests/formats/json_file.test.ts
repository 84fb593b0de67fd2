import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { makeFormat } from "../../src/formats/formats.ts";
import { anyBytes } from "./arbitrary.ts";
import { bytesOf, flush, START_TIME, TestInput, textOf } from "./pipeline.ts";
import { dockerString } from "./text_rules.ts";

const make = () => makeFormat("json-file", { maxLineBytes: 64 * 1024, host: "" });

Deno.test("json-file writes the lines that Docker writes", () => {
  const input = new TestInput("stdout");
  input.push(bytesOf('plain\n\n\ttab "quoted" <b>&\\\r\nend'), START_TIME + 120_450);
  assertEquals(
    textOf(flush(make(), input)).split("\n"),
    [
      String.raw`{"log":"plain\n","stream":"stdout","time":"2026-11-22T10:00:00.12045Z"}`,
      String.raw`{"log":"\n","stream":"stdout","time":"2026-11-22T10:00:00.12045Z"}`,
      String
        .raw`{"log":"\u0009tab \"quoted\" \u003cb\u003e\u0026\\\r\n","stream":"stdout","time":"2026-11-22T10:00:00.12045Z"}`,
      String.raw`{"log":"end","stream":"stdout","time":"2026-11-22T10:00:00.12045Z"}`,
      "",
    ],
  );
});

Deno.test("json-file escapes any bytes as Docker does", () => {
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      const line = bytes.filter((byte) => byte !== 10);
      const input = new TestInput("stdout", 256 * 1024);
      input.push(new Uint8Array([...line, 10]));
      const log = dockerString(new Uint8Array([...line, 10]));
      assertEquals(
        textOf(flush(make(), input)),
        `{"log":${log},"stream":"stdout","time":"2026-11-22T10:00:00Z"}\n`,
      );
    }),
    { numRuns: 300 },
  );
});

Deno.test("json-file tells every pair and triple of bytes around the edges of UTF-8", () => {
  const edges = [0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xa8, 0xbf, 0xc1, 0xc2, 0xdf];
  const leads = [0xe0, 0xe1, 0xe2, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf4, 0xf5, 0xff];
  const lines: number[][] = [];
  for (const lead of [...edges, ...leads]) {
    for (const second of [...edges, ...leads]) {
      for (const third of edges) lines.push([lead, second, third, 0x80, 10]);
    }
  }
  const input = new TestInput("stdout");
  input.push(new Uint8Array(lines.flat()));
  const logs = textOf(flush(make(), input)).trimEnd().split("\n").map((record) =>
    record.slice('{"log":'.length, record.indexOf(',"stream"'))
  );
  assertEquals(logs, lines.map((line) => dockerString(new Uint8Array(line))));
});

Deno.test("a json-file gap marker carries its numbers as attributes", () => {
  const gap = {
    reason: "overwritten",
    lines: 1234,
    bytes: 56789,
    from: START_TIME,
    to: START_TIME + 1_456_789,
    nextLine: 99,
    nextByte: 9900,
  } as const;
  const piece = make().marker(gap, new TestInput("stdout").stream);
  const sentence = "spillway: 1234 lines (56789 bytes) overwritten between " +
    "2026-11-22T10:00:00.000Z and 2026-11-22T10:00:01.456Z";
  assertEquals(
    new TextDecoder().decode(piece.bytes),
    `{"log":"${sentence}\\n","stream":"stdout","attrs":{"gap_bytes":"56789",` +
      '"gap_from":"2026-11-22T10:00:00.000Z","gap_lines":"1234",' +
      '"gap_reason":"overwritten","gap_to":"2026-11-22T10:00:01.456Z"},' +
      '"time":"2026-11-22T10:00:01.456789Z"}\n',
  );
});
