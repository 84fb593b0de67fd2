import type { Format } from "./format.ts";
import { CRI, CRI_STREAMS } from "./cri.ts";
import { elasticsearchBulk } from "./elasticsearch_bulk.ts";
import { JSON_FILE } from "./json_file.ts";
import { NDJSON } from "./ndjson.ts";
import { RawFormat } from "./raw.ts";
import { RecordFormat } from "./record_format.ts";
import type { RecordLayout } from "./record_layout.ts";
import { outputBytes } from "./record_writer.ts";
import { DEFAULT_IDENTITY, rfc5424, type SyslogIdentity } from "./rfc5424.ts";

/** What a format may need to know. */
export interface FormatSettings {
  /** Longer lines are written as several records, where a format has records. */
  readonly maxLineBytes: number;
  /** When the program started, in microseconds since 1970. */
  readonly startTime: number;
  /** What syslog messages say of their sender, where the destination has a say in it. */
  readonly syslog?: SyslogIdentity;
}

function records(layout: RecordLayout, { maxLineBytes }: FormatSettings): Format {
  return new RecordFormat(layout, maxLineBytes);
}

/** Every format, by its name on the command line; the first is the default. */
const FORMATS = {
  raw: () => new RawFormat(),
  "json-file": (settings) => records(JSON_FILE, settings),
  cri: (settings) => records(CRI, settings),
  ndjson: (settings) => records(NDJSON, settings),
  rfc5424: (settings) => records(rfc5424(settings.syslog ?? DEFAULT_IDENTITY), settings),
  "elasticsearch-bulk": (settings) =>
    records(elasticsearchBulk(settings.startTime), settings),
} satisfies Record<string, (settings: FormatSettings) => Format>;

export type FormatName = keyof typeof FORMATS;

export const FORMAT_NAMES = Object.keys(FORMATS) as FormatName[];

export function makeFormat(name: FormatName, settings: FormatSettings): Format {
  const make: (settings: FormatSettings) => Format = FORMATS[name];
  return make(settings);
}

/** The memory that a format needs for each input to write its records in. */
export function outputBytesFor(name: FormatName, maxLineBytes: number): number {
  return name === "raw" ? 0 : outputBytes(maxLineBytes);
}

/** The only labels that a format can carry; undefined when it takes any. */
export function labelsOf(name: FormatName): readonly string[] | undefined {
  return name === "cri" ? CRI_STREAMS : undefined;
}
