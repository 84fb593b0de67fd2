import type { Format } from "./format.ts";
import { RawFormat } from "./raw.ts";

/** What a format may need to know. */
export interface FormatSettings {
  /** Longer lines are written as several records, where a format has records. */
  readonly maxLineBytes: number;
}

/** Every format, by its name on the command line; the first is the default. */
const FORMATS = {
  raw: () => new RawFormat(),
} satisfies Record<string, (settings: FormatSettings) => Format>;

export type FormatName = keyof typeof FORMATS;

export const FORMAT_NAMES = Object.keys(FORMATS) as FormatName[];

export function makeFormat(name: FormatName, settings: FormatSettings): Format {
  const make: (settings: FormatSettings) => Format = FORMATS[name];
  return make(settings);
}
