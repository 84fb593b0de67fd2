/** Readers of the records, each written from the format's own definition. */

import type { FormatName } from "../../src/formats/formats.ts";
import {
  type OtlpAttribute,
  type OtlpRequest,
  type OtlpScope,
} from "./otlp_definition.ts";
import type { Taken } from "./pipeline.ts";

export type RecordFormatName = Exclude<FormatName, "raw">;

export interface ParsedRecord {
  readonly stream: string;
  readonly time: string;
  /** Without the newline, and with escapes replaced by what they mean. */
  readonly message: string;
  readonly goesOn: boolean;
  /** By name without `gap_`, empty but in markers. */
  readonly gap: Readonly<Record<string, unknown>>;
  readonly id?: string;
}

function check(condition: unknown, what: string): asserts condition {
  if (!condition) throw new Error(`this should be ${what}`);
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** False where a format has no place to say that a line goes on in the next record. */
export function saysWhatGoesOn(name: FormatName): boolean {
  return name !== "loki" && name !== "local-syslog";
}

/** @param name the format; a record that is not well-formed fails the test */
export function parseRecords(name: RecordFormatName, taken: readonly Taken[]) {
  return taken.flatMap(({ bytes, recordEnds, progress, total }) =>
    recordEnds.map((end, index) => {
      const record = parseRecord(name, bytes.subarray(recordEnds[index - 1] ?? 0, end));
      if (saysWhatGoesOn(name) || total.bytes === 0) return record;
      const goesOn = progress[index]!.lines === (progress[index - 1]?.lines ?? 0);
      return { ...record, goesOn };
    })
  );
}

/** @param record with its newline */
export function parseRecord(name: RecordFormatName, record: Uint8Array): ParsedRecord {
  check(record.at(-1) === 10, "a record that ends with its newline");
  return PARSERS[name](record.subarray(0, -1));
}

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,5}[1-9])?Z$/;

const PARSERS: Record<RecordFormatName, (record: Uint8Array) => ParsedRecord> = {
  "json-file": (record) => {
    const { log, stream, attrs, time } = parseLine(record, ["log", "stream", "time"]);
    const goesOn = !`${log}`.endsWith("\n");
    const message = goesOn ? `${log}` : `${log}`.slice(0, -1);
    return {
      stream: `${stream}`,
      time: checkTime(time),
      message,
      goesOn,
      gap: gapOf(attrs),
    };
  },
  cri: (record) => {
    // The message may hold any bytes, so each stands for one character here.
    const text = String.fromCharCode(...record);
    const match = /^(\S+) (stdout|stderr) ([PF]) ([^\n]*)$/.exec(text);
    check(match !== null, `a CRI log line: ${JSON.stringify(text)}`);
    const [, time, stream, tag, message] = match;
    return {
      stream: stream!,
      time: checkTime(time),
      message: message!,
      goesOn: tag === "P",
      gap: {},
    };
  },
  ndjson: (record) => parseDocument(record, "time"),
  "elasticsearch-bulk": (record) => {
    const newline = record.indexOf(10);
    const action = JSON.parse(decoder.decode(record.subarray(0, newline)));
    const id: unknown = action.create._id;
    check(typeof id === "string", "an _id");
    return { ...parseDocument(record.subarray(newline + 1), "@timestamp"), id };
  },
  loki: (record) => {
    const push = parseLine(record, []);
    const [stream, ...otherStreams] = push.streams as LokiStream[];
    const [entry, ...otherEntries] = stream!.values;
    check(otherStreams.length + otherEntries.length === 0, "one entry");
    const [time, message] = entry!;
    return {
      stream: stream!.stream.input!,
      time: checkNanos(time),
      message: message!,
      goesOn: false,
      gap: {},
    };
  },
  otlp: (record) => {
    const request = parseLine(record, []) as unknown as OtlpRequest;
    const [resource, ...others] = request.resourceLogs;
    const [{ scope, logRecords }] = resource!.scopeLogs as [OtlpScope];
    check(scope.name === "spillway", "a scope");
    check(others.length === 0 && logRecords.length === 1, "one record");
    const { body, attributes, timeUnixNano, observedTimeUnixNano } = logRecords[0]!;
    check(timeUnixNano === observedTimeUnixNano, "one time");
    const own = attributesIn(attributes, "spillway.");
    return {
      stream: `${attributesIn(resource!.resource.attributes)["service.name"]}`,
      time: checkNanos(timeUnixNano),
      message: body.stringValue,
      goesOn: own.partial === true,
      gap: gapOf(own),
    };
  },
  "local-syslog": (record) => {
    const text = decoder.decode(record);
    const match = LOCAL_SYSLOG.exec(text);
    check(match !== null, `a message of the local dialect: ${JSON.stringify(text)}`);
    const [, priority, time, tag, , message] = match;
    const stream = Number(priority) % 8 === 3 ? "stderr" : "stdout";
    return {
      stream: tag === "spillway" ? stream : tag!,
      time: time!,
      message: message!,
      goesOn: false,
      gap: {},
    };
  },
  rfc5424: (record) => {
    const text = decoder.decode(record);
    const match = RFC_5424.exec(text);
    check(match !== null, `an RFC 5424 message: ${JSON.stringify(text)}`);
    const [, , time, , , , stream, data, message] = match;
    const parameters = Object.fromEntries(
      [...data!.matchAll(/ (\w+)="([^"\\\]]*)"/g)].map((
        [, name, value],
      ) => [name, value]),
    );
    return {
      stream: stream!,
      time: checkTime(time),
      message: message!,
      goesOn: parameters.partial === "true",
      gap: gapOf(parameters),
    };
  },
};

/** What syslog(3) sends; RFC 3164, section 4.1, without the name of the machine. */
export const LOCAL_SYSLOG =
  /^<(\d{1,3})>([A-Z][a-z]{2} [ 1-3]\d \d\d:\d\d:\d\d) ([^\s:[\]]{1,48})\[(\d+)\]: ((?:\P{Cc}|[\t\x80-\x9f])*)$/u;

/** Section 6 of the RFC, with the one structured data element that there may be. */
export const RFC_5424 =
  /^<(\d{1,3})>1 (\S+) ([!-~]{1,255}) ([!-~]{1,48}) ([!-~]{1,128}) ([!-~]{1,32}) (-|\[[!-~]{1,32}(?: [!-~]{1,32}="[^"\\\]]*")*\]) ((?:\P{Cc}|[\x80-\x9f])*)$/u;

function parseDocument(record: Uint8Array, timeField: string): ParsedRecord {
  const fields = parseLine(record, [timeField, "stream", "message"]);
  check(fields.partial === undefined || fields.partial === true, "partial");
  return {
    stream: `${fields.stream}`,
    time: checkTime(fields[timeField]),
    message: `${fields.message}`,
    goesOn: fields.partial === true,
    gap: gapOf(fields),
  };
}

function parseLine(record: Uint8Array, required: string[]): Record<string, unknown> {
  check(!record.includes(10), "a JSON line is one line");
  const fields: Record<string, unknown> = JSON.parse(decoder.decode(record));
  for (const name of required) check(typeof fields[name] === "string", name);
  return fields;
}

interface LokiStream {
  readonly stream: Readonly<Record<string, string>>;
  readonly values: readonly (readonly string[])[];
}

function attributesIn(
  attributes: readonly OtlpAttribute[],
  prefix = "",
): Record<string, unknown> {
  return Object.fromEntries(
    attributes.filter(({ key }) => key.startsWith(prefix))
      .map(({ key, value }) => [key.slice(prefix.length), Object.values(value)[0]]),
  );
}

function checkNanos(time: unknown): string {
  check(typeof time === "string" && /^\d{19}$/.test(time), `nanoseconds: ${time}`);
  return time;
}

function checkTime(time: unknown): string {
  check(typeof time === "string" && RFC_3339.test(time), `RFC 3339: ${time}`);
  return time;
}

function gapOf(fields: unknown): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields ?? {}).filter(([name]) => name.startsWith("gap_"))
      .map(([name, value]) => [name.slice(4), value]),
  );
}
