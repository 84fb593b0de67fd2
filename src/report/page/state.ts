/**
 * What the page says of a status: rates, states and which input is worst. All of it is
 * from the same two looks, so that the words never contradict the numbers.
 */

import { percent, span } from "../quantities.ts";
import {
  type Counters,
  type InputStatus,
  outputsOf,
  type OutputStatus,
  type Status,
} from "./status.ts";

/** An output that has taken nothing for so long is said to be stalled. */
const STALL_MS = 1000;
/** From here on a ring's bar and words warn. */
const FILLING = 0.5;
const NEARLY_FULL = 0.9;

/** From the worst to the best. */
const TONES = ["bad", "warn", "good", "idle"] as const;
type Tone = typeof TONES[number];

/** One input, or all of them together. */
export interface Row {
  readonly label: string;
  readonly capacityBytes: number;
  /** Of the ring; a thread's hand may hold more, which is not shown. */
  readonly share: number;
  readonly inPerSecond: number;
  readonly outPerSecond: number;
  readonly linesIn: number;
  readonly linesOut: number;
  readonly lostLines: number;
  readonly lostBytes: number;
  /** Since the last look. */
  readonly lostJustNow: number;
  readonly tone: Tone;
  readonly words: string;
}

export interface View {
  readonly total: Row;
  /** The worst first. */
  readonly rows: readonly Row[];
}

/** @param before the look before this one, of the same run of the program */
export function viewOf(status: Status, before: Status | undefined): View {
  const outputs = outputsOf(status);
  const outputOf = new Map(outputs.map((output) => [output.output, output]));
  const known = new Map(before?.inputs.map((input) => [input.input, input]));
  const seconds = before === undefined
    ? 0
    : (status.duration_ms - before.duration_ms) / 1000;
  const rows = status.inputs.map((input) => {
    const output = outputOf.get(input.output ?? "") ?? outputs[0]!;
    return rowOf(measure(input, known.get(input.input), seconds), output);
  });
  const total = rowOf(sum(status, rows), worst(outputs));
  return { total, rows: rows.sort(worseFirst) };
}

/** What is counted and measured; what is said of it comes after. */
type Measured = Omit<Row, "tone" | "words">;

function measure(
  input: InputStatus,
  before: InputStatus | undefined,
  seconds: number,
): Measured {
  const since = before !== undefined && seconds > 0 && before.bytes_in <= input.bytes_in
    ? before
    : undefined;
  return {
    label: input.input,
    capacityBytes: input.capacity_bytes,
    share: Math.min(1, input.bytes_buffered / input.capacity_bytes),
    inPerSecond: since === undefined
      ? input.bytes_in_per_second
      : (input.bytes_in - since.bytes_in) / seconds,
    outPerSecond: since === undefined
      ? input.bytes_out_per_second
      : (input.bytes_out - since.bytes_out) / seconds,
    ...lossesOf(input),
    lostJustNow: since === undefined
      ? 0
      : lossesOf(input).lostBytes - lossesOf(since).lostBytes,
  };
}

function lossesOf(counters: Counters) {
  return {
    linesIn: counters.lines_in,
    linesOut: counters.lines_out,
    lostLines: counters.lines_overwritten + counters.lines_dropped +
      counters.lines_rejected + counters.lines_damaged,
    lostBytes: counters.bytes_overwritten + counters.bytes_dropped +
      counters.bytes_rejected + counters.bytes_damaged,
  };
}

function sum(status: Status, rows: readonly Row[]): Measured {
  const of = (value: (row: Row) => number) =>
    rows.reduce((sum, row) => sum + value(row), 0);
  const capacityBytes = of((row) => row.capacityBytes);
  return {
    label: "all",
    capacityBytes,
    share: of((row) => row.share * row.capacityBytes) / Math.max(1, capacityBytes),
    inPerSecond: of((row) => row.inPerSecond),
    outPerSecond: of((row) => row.outPerSecond),
    ...lossesOf(status),
    lostJustNow: of((row) => row.lostJustNow),
  };
}

/** Of several outputs: whether any fails, and how long the worst has been stalled. */
function worst(outputs: readonly OutputStatus[]): OutputStatus {
  const failing = outputs.find(({ output_failing }) => output_failing);
  if (failing !== undefined) return failing;
  return outputs.reduce(
    (one, other) => other.stalled_ms > one.stalled_ms ? other : one,
    IDLE,
  );
}

/** An output that has nothing to do: no input has come yet. */
const IDLE: OutputStatus = { output: "", output_failing: false, stalled_ms: 0 };

function rowOf(measured: Measured, output: OutputStatus): Row {
  return { ...measured, ...stateOf(measured, output) };
}

/** `flowing` is said only where all is well, and `idle` only where nothing moves. */
function stateOf(row: Measured, output: OutputStatus): { tone: Tone; words: string } {
  const stalled = output.stalled_ms >= STALL_MS;
  const words: string[] = [];
  if (output.output_failing) words.push("output fails");
  else if (stalled) words.push(`stalled for ${span(output.stalled_ms)}`);
  if (row.lostJustNow > 0) words.push("losing lines");
  else if (row.share >= NEARLY_FULL) words.push(`ring ${percent(row.share, 1)} full`);
  if (words.length > 0) {
    const bad = output.output_failing || row.lostJustNow > 0;
    return { tone: bad ? "bad" : "warn", words: words.join(", ") };
  }
  if (row.inPerSecond > 0 || row.outPerSecond > 0) {
    return { tone: "good", words: "flowing" };
  }
  return row.share > 0
    ? { tone: "good", words: "waiting for the output" }
    : { tone: "idle", words: "idle" };
}

function worseFirst(one: Row, other: Row): number {
  return TONES.indexOf(one.tone) - TONES.indexOf(other.tone) ||
    other.lostJustNow - one.lostJustNow ||
    other.share - one.share ||
    other.lostLines - one.lostLines ||
    other.inPerSecond - one.inPerSecond ||
    (one.label < other.label ? -1 : 1);
}

/** How a ring's bar looks. */
export function toneOfRing(share: number): Tone {
  return share < FILLING ? "good" : share < NEARLY_FULL ? "warn" : "bad";
}
