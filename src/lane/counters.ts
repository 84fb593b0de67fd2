/**
 * All that is counted of an input, in lines and in bytes: the one place where a counter
 * is added. Reports, JSON, metrics and the sums are made from this table.
 */

/** What is counted, and what is said of it. */
interface CounterKind {
  /** In text, and after `lines_` and `bytes_` in JSON. */
  readonly name: string;
  /** The names of its two numbers in `Counts`. */
  readonly lines: string;
  readonly bytes: string;
  /** Who counts it: an end of the lane, or the control thread when both have ended. */
  readonly by: "reader" | "outlet" | "control";
  /** It comes from somewhere; what has entered, less all the others, is buffered. */
  readonly enters?: true;
  /** But not this: it has never entered. */
  readonly outside?: true;
  /** It will never come out: a reason in `spillway_lost_lines_total`. */
  readonly lost?: true;
  /** `spillway_METRIC_lines_total`, and what it says of lines or bytes. */
  readonly metric?: { readonly name: string; readonly help: string };
}

export const COUNTERS = [
  {
    name: "in",
    lines: "linesIn",
    bytes: "bytesIn",
    by: "reader",
    enters: true,
    metric: { name: "input", help: "that were read" },
  },
  {
    name: "recovered",
    lines: "linesRecovered",
    bytes: "bytesRecovered",
    by: "reader",
    enters: true,
    metric: { name: "recovered", help: "that an earlier run had left" },
  },
  {
    name: "out",
    lines: "linesOut",
    bytes: "bytesOut",
    by: "outlet",
    metric: { name: "output", help: "of the input that the output has taken" },
  },
  {
    name: "overwritten",
    lines: "linesOverwritten",
    bytes: "bytesOverwritten",
    by: "reader",
    lost: true,
  },
  {
    name: "dropped",
    lines: "linesDropped",
    bytes: "bytesDropped",
    by: "reader",
    lost: true,
  },
  {
    name: "rejected",
    lines: "linesRejected",
    bytes: "bytesRejected",
    by: "outlet",
    lost: true,
  },
  {
    // An earlier run had read it, and what the machine has left shows no more of it.
    name: "damaged",
    lines: "linesDamaged",
    bytes: "bytesDamaged",
    by: "control",
    outside: true,
    lost: true,
  },
  {
    name: "kept",
    lines: "linesKept",
    bytes: "bytesKept",
    by: "control",
  },
] as const satisfies readonly CounterKind[];

export type Counter = typeof COUNTERS[number];
export type CounterName = Counter["name"];

/** What has entered and not left: in the ring or in a thread's hand. */
export const BUFFERED = { lines: "linesBuffered", bytes: "bytesBuffered" } as const;

type CountName = Counter["lines" | "bytes"] | typeof BUFFERED["lines" | "bytes"];

/** Of one input, at one moment. Lines are counted where they end. */
export type Counts = Record<CountName, bigint>;

export interface Amount {
  readonly lines: bigint;
  readonly bytes: bigint;
}

const COUNT_NAMES: readonly CountName[] = [...COUNTERS, BUFFERED].flatMap(
  ({ lines, bytes }) => [lines, bytes],
);

export const NOTHING_COUNTED: Counts = total([]);

/** The sum over all inputs. */
export function total(inputs: readonly Counts[]): Counts {
  const sum: Partial<Counts> = {};
  for (const name of COUNT_NAMES) {
    sum[name] = inputs.reduce((soFar, counts) => soFar + counts[name], 0n);
  }
  return sum as Counts;
}

/** Lines and bytes that were read and will never come out. */
export function lost(counts: Counts): Amount {
  let [lines, bytes] = [0n, 0n];
  for (const counter of COUNTERS) {
    if (!("lost" in counter)) continue;
    lines += counts[counter.lines];
    bytes += counts[counter.bytes];
  }
  return { lines, bytes };
}
