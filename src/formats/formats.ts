import type { Format } from "./format.ts";
import { CRI, CRI_STREAMS } from "./cri.ts";
import { asDocuments, type DocumentShape } from "./document.ts";
import { elasticsearchBulk } from "./elasticsearch_bulk.ts";
import { JSON_FILE } from "./json_file.ts";
import { localSyslog } from "./local_syslog.ts";
import { LOKI, lokiPush } from "./loki.ts";
import { ndjson } from "./ndjson.ts";
import { OTLP, otlpRequest } from "./otlp.ts";
import { RawFormat } from "./raw.ts";
import { RecordFormat } from "./record_format.ts";
import type { RecordLayout } from "./record_layout.ts";
import { outputBytes } from "./record_writer.ts";
import { rfc5424 } from "./rfc5424.ts";
import { DEFAULT_IDENTITY, type SyslogIdentity } from "./syslog.ts";

/** What a format may need to know. */
export interface FormatSettings {
  /** Longer lines are written as several records, where a format has records. */
  readonly maxLineBytes: number;
  /** The machine's name, or the container's; empty where it has none. */
  readonly host: string;
  /** What syslog messages say of their sender, where the destination has a say in it. */
  readonly syslog?: SyslogIdentity;
  /** The destination puts what is around a format's documents in its place itself. */
  readonly bare?: boolean;
}

/** One format, as the rest of the program sees it. */
interface FormatKind {
  /** What the help says of it beside its name. */
  readonly help?: string;
  /** The only labels it can carry; any where it says nothing. */
  readonly labels?: readonly string[];
  /** Every line is a JSON text. */
  readonly isJson?: true;
  /** A record that is sent twice is known to be the same. */
  readonly hasIds?: true;
  /** Its records; a format without them passes on the input's own bytes. */
  readonly layout?: (settings: FormatSettings) => RecordLayout;
  /** Many of its records make one document. @param host as in the settings */
  readonly document?: (host: string) => DocumentShape;
}

/** Every format, by its name on the command line; the first is the default. */
const FORMATS = {
  raw: { help: "as they came" },
  "json-file": { help: "Docker", isJson: true, layout: () => JSON_FILE },
  cri: { help: "Kubernetes", labels: CRI_STREAMS, layout: () => CRI },
  ndjson: { isJson: true, layout: ({ host }) => ndjson(host) },
  rfc5424: {
    help: "syslog",
    layout: ({ syslog = DEFAULT_IDENTITY, host }) => rfc5424(syslog, host),
  },
  "local-syslog": {
    help: "/dev/log",
    layout: ({ syslog = DEFAULT_IDENTITY }) => localSyslog(syslog),
  },
  "elasticsearch-bulk": {
    isJson: true,
    hasIds: true,
    layout: ({ host }) => elasticsearchBulk(host),
  },
  loki: { isJson: true, layout: () => LOKI, document: lokiPush },
  otlp: {
    help: "OpenTelemetry",
    isJson: true,
    layout: () => OTLP,
    document: otlpRequest,
  },
} satisfies Record<string, FormatKind>;

export type FormatName = keyof typeof FORMATS;

export const FORMAT_NAMES = Object.keys(FORMATS) as FormatName[];

/** `raw (as they came), json-file (Docker), …` */
export const FORMAT_HELP = FORMAT_NAMES.map((name) => {
  const { help } = kindOf(name);
  return help === undefined ? name : `${name} (${help})`;
}).join(", ");

function kindOf(name: FormatName): FormatKind {
  return FORMATS[name];
}

export function makeFormat(name: FormatName, settings: FormatSettings): Format {
  const { host, bare, maxLineBytes } = settings;
  const layout = kindOf(name).layout?.(settings);
  if (layout === undefined) return new RawFormat();
  const shape = bare ? undefined : documentShape(name, host);
  return new RecordFormat(shape ? asDocuments(layout, shape) : layout, maxLineBytes);
}

/** What makes one document of many records; undefined where they are but lines. */
export function documentShape(name: FormatName, host: string): DocumentShape | undefined {
  return kindOf(name).document?.(host);
}

/** The memory that a format needs for each input to write its records in. */
export function outputBytesFor(name: FormatName, maxLineBytes: number): number {
  return kindOf(name).layout === undefined ? 0 : outputBytes(maxLineBytes);
}

/** The only labels that a format can carry; undefined when it takes any. */
export function labelsOf(name: FormatName): readonly string[] | undefined {
  return kindOf(name).labels;
}

/** False where the input's own bytes are passed on, and do not say whose they are. */
export function namesInput(name: FormatName): boolean {
  return kindOf(name).layout !== undefined;
}

/** True where a record that is sent twice is known to be the same. */
export function hasIds(name: FormatName): boolean {
  return kindOf(name).hasIds ?? false;
}

/** True where many records make one document. */
export function isDocument(name: FormatName): boolean {
  return kindOf(name).document !== undefined;
}

/** True where every line is a JSON text. */
export function isJsonLines(name: FormatName): boolean {
  return kindOf(name).isJson ?? false;
}
