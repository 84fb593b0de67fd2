import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { parseFlags } from "../../src/cli/parse.ts";
import { resolvePlan } from "../../src/cli/options.ts";
import { UsageError } from "../../src/errors.ts";
import type { Gap } from "../../src/formats/format.ts";
import {
  FORMAT_NAMES,
  type FormatName,
  type FormatSettings,
  makeFormat,
} from "../../src/formats/formats.ts";
import { MIN_CAPACITY } from "../../src/lane/lane.ts";
import { readOtlp } from "./otlp_definition.ts";
import { RFC_5424 } from "./parsed_record.ts";
import { bytesOf, flush, RUN, START_TIME, TestInput, textOf } from "./pipeline.ts";

const SETTINGS: FormatSettings = {
  maxLineBytes: 64,
  host: "web-1",
};
const TIME = "2026-11-22T10:00:00.000001Z";

const GAP: Gap = {
  reason: "dropped",
  lines: 1,
  bytes: 56789,
  from: START_TIME,
  to: START_TIME + 1_456_000,
  nextLine: 99,
  nextByte: 9900,
};
const SENTENCE = "spillway: 1 line (56789 bytes) dropped between " +
  "2026-11-22T10:00:00.000Z and 2026-11-22T10:00:01.456Z";
const LOCAL_SYSLOG_MARKER = new RegExp(
  `^<28>\\w{3} [ \\d]\\d [\\d:]{8} spillway\\[\\d+\\]: ${
    SENTENCE.replaceAll(/[()]/g, "\\$&")
  }\n$`,
);
const JSON_GAP =
  '"gap_bytes":56789,"gap_from":"2026-11-22T10:00:00.000Z","gap_lines":1,' +
  '"gap_reason":"dropped","gap_to":"2026-11-22T10:00:01.456Z"';

function written(name: FormatName, label: string, text: string, settings = SETTINGS) {
  const input = new TestInput(label);
  input.push(bytesOf(text), START_TIME + 1);
  return textOf(flush(makeFormat(name, settings), input)).split("\n").slice(0, -1);
}

function marker(name: FormatName, settings = SETTINGS): string {
  const piece = makeFormat(name, settings).marker(GAP, new TestInput("stderr").stream);
  return new TextDecoder().decode(piece.bytes);
}

Deno.test("cri tags pieces P and ends F, takes \\r\\n for a newline, and escapes nothing", () => {
  const long = "x".repeat(SETTINGS.maxLineBytes);
  assertEquals(written("cri", "stderr", `${long}yz\r\n\r\n\r"\ta\rb\nend\r`), [
    `${TIME} stderr P ${long}`,
    `${TIME} stderr F yz`,
    `${TIME} stderr F `,
    `${TIME} stderr F \r"\ta\rb`,
    `${TIME} stderr P end\r`,
  ]);
});

Deno.test("cri takes a \\n that comes after its \\r was written for an empty last piece", () => {
  const input = new TestInput("stdout");
  for (const piece of ["a\r", "\n", "b\n"]) input.push(bytesOf(piece));
  const taken = flush(makeFormat("cri", SETTINGS), input);
  const contents = textOf(taken).split("\n").map((line) => line.split(" stdout ")[1]);
  assertEquals(contents, ["P a\r", "F ", "F b", undefined]);
});

Deno.test("each record carries the time at which its frame arrived", () => {
  const input = new TestInput("stdout");
  for (const micros of [0, 0, 1, 1_000_000]) {
    input.push(bytesOf("a\nb\n"), START_TIME + micros);
  }
  const taken = flush(makeFormat("ndjson", SETTINGS), input);
  const times = [...textOf(taken).matchAll(/10:00:0[^Z"]*/g)].map(([time]) => time);
  assertEquals(times, [
    ...["10:00:00", "10:00:00", "10:00:00", "10:00:00"],
    ...["10:00:00.000001", "10:00:00.000001", "10:00:01", "10:00:01"],
  ]);
});

Deno.test("a cri gap marker is an entry like any other", () => {
  assertEquals(marker("cri"), `2026-11-22T10:00:01.456Z stderr F ${SENTENCE}\n`);
});

Deno.test("cri refuses other labels than stdout and stderr, and says what to do", () => {
  const resolve = (...args: string[]) => resolvePlan(parseFlags(args));
  assertThrows(
    () => resolve("--format", "cri", "--fifo", "stdout=a", "--fifo", "app=/run/b"),
    UsageError,
    'cannot carry the input "app", only stdout and stderr; write --fifo stdout=/run/b',
  );
  resolve("--format", "cri");
  resolve("--format", "cri", "--fifo", "stdout=a", "--fifo", "stderr=b");
  resolve("--format", "json-file", "--fifo", "app=b");
});

Deno.test("ndjson has time, stream and message, and says what is partial", () => {
  assertEquals(written("ndjson", "app", 'a\t"b"\r\nend'), [
    String
      .raw`{"time":"${TIME}","stream":"app","host":"web-1","message":"a\u0009\"b\"\r"}`,
    `{"time":"${TIME}","stream":"app","host":"web-1","message":"end","partial":true}`,
  ]);
});

Deno.test("a machine without a name is left out", () => {
  const settings = { ...SETTINGS, host: "" };
  for (const name of ["ndjson", "elasticsearch-bulk"] as const) {
    assertEquals(written(name, "app", "a\n", settings).join().includes("host"), false);
    assertEquals(marker(name, settings).includes("host"), false);
  }
});

Deno.test("a machine may be called anything", () => {
  const settings = { ...SETTINGS, host: 'a"b\\c' };
  const [line] = written("ndjson", "app", "a\n", settings);
  assertEquals(JSON.parse(line!).host, settings.host);
});

Deno.test("an ndjson gap marker has numbers as numbers", () => {
  assertEquals(
    marker("ndjson"),
    `{"time":"2026-11-22T10:00:01.456Z","stream":"stderr","host":"web-1","message":"${SENTENCE}",${JSON_GAP}}\n`,
  );
});

Deno.test("elasticsearch-bulk numbers lines and their pieces in the _id", () => {
  const long = "x".repeat(SETTINGS.maxLineBytes);
  const id = (number: string) => `{"create":{"_id":"app-${RUN}-${number}"}}`;
  const document = (message: string, more = "") =>
    `{"@timestamp":"${TIME}","stream":"app","host":{"name":"web-1"},"message":"${message}"${more}}`;
  const partial = ',"partial":true';
  assertEquals(written("elasticsearch-bulk", "app", `a\n${long}${long}\\\nb\n`), [
    ...[id("1"), document("a")],
    ...[id("2"), document(long, partial)],
    ...[id("2.1"), document(long, partial)],
    ...[id("2.2"), document("\\\\")],
    ...[id("3"), document("b")],
  ]);
});

Deno.test("elasticsearch-bulk gives every record an _id that no other has", () => {
  const input = new TestInput("app");
  const format = makeFormat("elasticsearch-bulk", SETTINGS);
  const lines = Array.from({ length: 1200 }, (_, n) => `${"x".repeat(n % 200)}\n`);
  for (let at = 0; at < lines.length; at += 100) {
    input.push(bytesOf(lines.slice(at, at + 100).join("")));
  }
  const taken = flush(format, input, { maxFrames: 1 });
  const ids = [...textOf(taken).matchAll(/"_id":"app-[0-9a-f-]{36}-([\d.]+)"/g)].map((
    [, id],
  ) => id!);
  assertEquals(new Set(ids).size, ids.length);
  assertEquals(ids.filter((id) => !id.includes(".")), lines.map((_, n) => `${n + 1}`));
});

Deno.test("elasticsearch-bulk counts the lines that are missing, too", () => {
  const input = new TestInput("app", MIN_CAPACITY);
  const format = makeFormat("elasticsearch-bulk", SETTINGS);
  const frames = 10_000;
  for (let line = 0; line < frames; line++) input.push(bytesOf("a line\n"));
  const text = textOf(flush(format, input));
  const ids = [...text.matchAll(/"_id":"app-[0-9a-f-]{36}-(\d+)"/g)].map(([, id]) =>
    Number(id)
  );
  assert(ids[0]! > 1);
  assertEquals(ids, ids.map((_, index) => frames - ids.length + 1 + index));
  assertEquals(text.includes(`-gap-${ids[0]}"`), true);
});

Deno.test("an elasticsearch-bulk gap marker is one record of two lines", () => {
  assertEquals(
    marker("elasticsearch-bulk"),
    `{"create":{"_id":"stderr-${RUN}-gap-100"}}\n` +
      `{"@timestamp":"2026-11-22T10:00:01.456Z","stream":"stderr","host":{"name":"web-1"},"message":"${SENTENCE}",${JSON_GAP}}\n`,
  );
  const piece = makeFormat("elasticsearch-bulk", SETTINGS)
    .marker(GAP, new TestInput("stderr").stream);
  assertEquals([piece.recordEnd(0), piece.recordStart(piece.length - 1)], [
    piece.length,
    0,
  ]);
});

const NANOS = `${START_TIME + 1}`;

Deno.test("loki keeps an input's lines under its labels, each with a time of its own", () => {
  const stream = '{"stream":{"job":"spillway","input":"app","host":"web-1"}';
  const push = (entry: string) => `{"streams":[${stream},"values":[${entry}]}]}`;
  assertEquals(written("loki", "app", 'a\na\n"b"\nend'), [
    push(`["${NANOS}000","a"]`),
    push(`["${NANOS}001","a"]`),
    push(String.raw`["${NANOS}002","\"b\""]`),
    push(`["${NANOS}003","end"]`),
  ]);
  assertEquals(marker("loki").includes(`["${GAP.to}000","${SENTENCE}"]`), true);
});

Deno.test("otlp says of a line what OpenTelemetry knows", () => {
  const [first, last] = written("otlp", "stderr", 'a "b"\r\nend').map((line) =>
    readOtlp(JSON.parse(line))
  );
  const resource = {
    attributes: [
      { key: "service.name", value: { stringValue: "stderr" } },
      { key: "host.name", value: { stringValue: "web-1" } },
    ],
  };
  const stream = { key: "log.iostream", value: { stringValue: "stderr" } };
  const record = {
    timeUnixNano: `${NANOS}000`,
    severityNumber: 17,
    severityText: "ERROR",
    body: { stringValue: 'a "b"\r' },
    observedTimeUnixNano: `${NANOS}000`,
    attributes: [stream],
  };
  const scope = { name: "spillway" };
  assertEquals(first, {
    resourceLogs: [{ resource, scopeLogs: [{ scope, logRecords: [record] }] }],
  });
  assertEquals(last?.resourceLogs[0]?.scopeLogs[0]?.logRecords[0]?.attributes, [
    stream,
    { key: "spillway.partial", value: { boolValue: true } },
  ]);
});

Deno.test("an otlp gap marker is a warning with numbers as attributes", () => {
  const request = readOtlp(JSON.parse(marker("otlp")));
  const record = request.resourceLogs[0]?.scopeLogs[0]?.logRecords[0];
  assertEquals(record?.body.stringValue, SENTENCE);
  assertEquals(record?.timeUnixNano, `${GAP.to}000`);
  assertEquals(record?.attributes.slice(0, 3), [
    { key: "spillway.gap_bytes", value: { intValue: "56789" } },
    {
      key: "spillway.gap_from",
      value: { stringValue: "2026-11-22T10:00:00.000Z" },
    },
    { key: "spillway.gap_lines", value: { intValue: "1" } },
  ]);
});

Deno.test("a destination that makes documents itself gets nothing but the records", () => {
  assertEquals(written("loki", "app", "a\n", { ...SETTINGS, bare: true }), [
    `["${NANOS}000","a"]`,
  ]);
});

Deno.test("rfc5424 takes the severity from the stream and the rest from the settings", () => {
  const settings = { ...SETTINGS, syslog: { facility: 16, tag: "my app\u00e9" } };
  const [header] = written("rfc5424", "stdout", "a\n", settings);
  const [, priority, time, host, tag, pid, id, data, message] = RFC_5424.exec(header!) ??
    [];
  assertEquals([priority, time, tag, pid, id], [
    "134",
    TIME,
    "myapp",
    `${Deno.pid}`,
    "stdout",
  ]);
  assertEquals([data, message], ["-", "a"]);
  assertEquals(host, "web-1");
  assertMatch(written("rfc5424", "stderr", "a\n", settings)[0]!, /^<131>1 /);
  assertMatch(written("rfc5424", "app", "a\n")[0]!, /^<30>1 \S+ \S+ spillway /);
});

Deno.test("rfc5424 escapes control characters, and marks pieces in structured data", () => {
  const messages = written("rfc5424", "stdout", "a\tb\0\x7f\x1b[31mé\r\nend")
    .map((line) => line.split(" ").slice(6).join(" "));
  assertEquals(messages, [
    "- a#011b#000#177#033[31mé#015",
    '[spillway@32473 partial="true"] end',
  ]);
});

Deno.test("rfc5424 has a label in structured data that is too long for MSGID", () => {
  const [fits, long] = ["x".repeat(32), "x".repeat(33)];
  const [id, other] = [fits, long].map((label) =>
    written("rfc5424", label, "a\nend").map((line) => line.split(" ").slice(5).join(" "))
  );
  assertEquals(id, [`${fits} - a`, `${fits} [spillway@32473 partial="true"] end`]);
  assertEquals(other, [
    `${fits} [spillway@32473 input="${long}"] a`,
    `${fits} [spillway@32473 input="${long}" partial="true"] end`,
  ]);
});

Deno.test("an rfc5424 gap marker is a warning with the numbers in structured data", () => {
  const text = marker("rfc5424");
  assertMatch(text, /^<28>1 2026-11-22T10:00:01.456Z \S+ spillway \d+ stderr /);
  assertEquals(
    text.slice(text.indexOf("[")),
    '[spillway@32473 gap_bytes="56789" gap_from="2026-11-22T10:00:00.000Z" gap_lines="1" ' +
      `gap_reason="dropped" gap_to="2026-11-22T10:00:01.456Z"] ${SENTENCE}\n`,
  );
});

Deno.test("local-syslog is what syslog(3) sends, under the tag or what the input is called", () => {
  const local = new Date(START_TIME / 1000);
  const time = `${local.toDateString().slice(4, 7)} ${`${local.getDate()}`.padStart(2)} ${
    local.toTimeString().slice(0, 8)
  }`;
  const header = (tag: string) => `${time} ${tag}[${Deno.pid}]: `;
  assertEquals(written("local-syslog", "stdout", "a\tb\0\x1b[31mé\r\nend"), [
    `<30>${header("spillway")}a\tb#000#033[31mé#015`,
    `<30>${header("spillway")}end`,
  ]);
  assertEquals(written("local-syslog", "api", "a\n"), [`<30>${header("api")}a`]);
  const settings = { ...SETTINGS, syslog: { facility: 16, tag: "my app:[1]" } };
  assertEquals(written("local-syslog", "stderr", "a\n", settings), [
    `<131>${header("myapp1")}a`,
  ]);
  assertMatch(marker("local-syslog"), LOCAL_SYSLOG_MARKER);
});

Deno.test("a label and a tag of any length make a record", () => {
  const settings = { ...SETTINGS, syslog: { facility: 23, tag: "t".repeat(300) } };
  for (const name of FORMAT_NAMES) {
    assertEquals(written(name, "l".repeat(64), "a\n", settings).length > 0, true);
  }
});
