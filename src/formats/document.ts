import type { RecordLayout, RecordText } from "./record_layout.ts";

/**
 * What goes around records where many of them make one JSON document, as servers
 * take it in one request: `{"streams":[{…,"values":[record,record]},{…}]}`.
 */
export interface DocumentShape {
  readonly before: string;
  readonly after: string;
  /** Around the records of one input, between which there are commas. */
  group(label: string): RecordText;
}

/**
 * The same records, each a document of its own: for files and other destinations
 * that know nothing of requests.
 */
export function asDocuments(layout: RecordLayout, shape: DocumentShape): RecordLayout {
  const wrap = (label: string, { before, after }: RecordText): RecordText => {
    const group = shape.group(label);
    return {
      before: shape.before + group.before + before,
      after: `${after.slice(0, -1)}${group.after}${shape.after}\n`,
    };
  };
  return {
    ...layout,
    record: (label, goesOn, run) => wrap(label, layout.record(label, goesOn, run)),
    marker: (gap, label, time, run) => {
      const record = layout.marker(gap, label, time, run);
      const { before, after } = wrap(label, { before: "", after: record });
      return before + after;
    },
  };
}
