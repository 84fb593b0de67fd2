/** What decides a simulated run, as plain data that fast-check can make and shrink. */

import fc from "fast-check";
import { FORMAT_NAMES, type FormatName } from "../../src/formats/formats.ts";
import { saysWhatGoesOn } from "../formats/parsed_record.ts";
import type { FullPolicy } from "../../src/lane/ring_producer.ts";

/** Where nothing says whether a line has ended, nothing can be put together. */
const FORMATS = FORMAT_NAMES.filter(saysWhatGoesOn);

/** One write(2) of a writer: numbered lines of the same length. */
export interface Write {
  readonly lineBytes: number;
  readonly lines: number;
  /** False: without the last newline, so that the next write goes on with the line. */
  readonly ends: boolean;
  /** The writer closes the pipe after it, and the next write is another writer's. */
  readonly leaves: boolean;
}

export interface InputScenario {
  /** A FIFO waits for the next writer; standard input ends with its only one. */
  readonly fifo: boolean;
  readonly pipeBytes: number;
  readonly writes: readonly Write[];
}

/** What the others do while the flusher waits: writers, reader and control thread. */
export interface Turn {
  /** How long it lasts. */
  readonly ms: number;
  /** How many writes are tried. */
  readonly writes: number;
  /** The most that one read finds. */
  readonly readBytes: number;
  readonly event: "none" | "hang-up" | "clock set back";
}

/** How one write to the sink goes. */
export interface SinkStep {
  /** So often there is nobody at the other end when it is asked. */
  readonly absent: number;
  /** Turns that go by in it, and how long it lasts at least. */
  readonly turns: number;
  readonly stallMs: number;
  readonly answer: "takes" | "fails" | "rejects" | "gets stuck";
  /** The most it takes. */
  readonly bytes: number;
  readonly promised: boolean;
}

/** SIGTERM. */
export interface Stop {
  readonly atTurn: number;
  /** The second one comes so many turns later; undefined: never. */
  readonly againAfterTurns: number | undefined;
}

export interface Scenario {
  readonly inputs: readonly InputScenario[];
  /** Each input goes to an output of its own. */
  readonly apart: boolean;
  readonly policy: FullPolicy;
  readonly format: FormatName;
  readonly markers: boolean;
  readonly extraCapacityBytes: number;
  readonly maxLineBytes: number;
  readonly smallHand: boolean;
  readonly stop: Stop | undefined;
  readonly drainTimeoutMs: number;
  /** When these are over, each turn writes once and reads all it can. */
  readonly turns: readonly Turn[];
  /**
   * Several sinks take turns in doing these. When they are over, each takes `sinkBytes`
   * with each write.
   */
  readonly sink: readonly SinkStep[];
  readonly sinkBytes: number;
  /** What it takes has not arrived yet, and is not out before it has. */
  readonly custody: boolean;
  /** It is a file, whose length says what of the last write it has. */
  readonly isFile: boolean;
  /**
   * The rings are kept, and each run but the last is killed after so many stores in them,
   * if it does not end before.
   */
  readonly kills: readonly number[];
}

/** The ring of the smallest capacity is overrun by one such write. */
const LONGEST_WRITE_BYTES = 70_000;

const write: fc.Arbitrary<Write> = fc.record({
  lineBytes: fc.oneof(
    fc.nat(12),
    fc.nat(300),
    fc.nat(4000),
    fc.nat(70_000),
    fc.constantFrom(63, 64, 65, 999, 1000, 1001, 16_383, 16_384, 16_385),
  ),
  lines: fc.oneof(fc.nat(3), fc.nat(300)),
  ends: fc.boolean(),
  leaves: fc.boolean(),
}).map((write) => ({
  ...write,
  lines: Math.min(write.lines, Math.ceil(LONGEST_WRITE_BYTES / (write.lineBytes + 1))),
}));

const input: fc.Arbitrary<InputScenario> = fc.record({
  fifo: fc.boolean(),
  pipeBytes: fc.constantFrom(65_536, 4096, 1_048_576),
  writes: fc.array(write, { maxLength: 8 }),
});

const turn: fc.Arbitrary<Turn> = fc.record({
  ms: fc.constantFrom(0, 0, 1, 11, 1001),
  writes: fc.nat(3),
  readBytes: fc.constantFrom(262_144, 65_536, 4096, 100, 1),
  event: fc.constantFrom<Turn["event"]>(
    ...["none", "none", "none", "none", "hang-up", "clock set back"] as const,
  ),
});

const sinkStep: fc.Arbitrary<SinkStep> = fc.record({
  absent: fc.constantFrom(0, 0, 0, 1, 3),
  turns: fc.nat(3),
  stallMs: fc.constantFrom(0, 0, 0, 30, 3000),
  answer: fc.oneof(
    { weight: 30, arbitrary: fc.constant<SinkStep["answer"]>("takes") },
    { weight: 6, arbitrary: fc.constant<SinkStep["answer"]>("fails") },
    { weight: 3, arbitrary: fc.constant<SinkStep["answer"]>("rejects") },
    { weight: 1, arbitrary: fc.constant<SinkStep["answer"]>("gets stuck") },
  ),
  bytes: fc.oneof(fc.nat(3), fc.nat(5000), fc.nat(300_000)),
  promised: fc.boolean(),
});

export const anyScenario: fc.Arbitrary<Scenario> = fc.record({
  format: fc.oneof(fc.constant<FormatName>("raw"), fc.constantFrom(...FORMATS)),
  policy: fc.constantFrom<FullPolicy>("overwrite", "drop-newest", "block"),
  markers: fc.boolean(),
  extraCapacityBytes: fc.constantFrom(0, 1, 4096),
  maxLineBytes: fc.constantFrom(1000, 64, 16_384),
  smallHand: fc.boolean(),
  stop: fc.option(
    fc.record({
      atTurn: fc.nat(60),
      againAfterTurns: fc.option(fc.nat(20), { nil: undefined }),
    }),
    { nil: undefined, freq: 1 },
  ),
  drainTimeoutMs: fc.constantFrom(10_000, 1000, 20, 0),
  inputs: fc.array(input, { minLength: 1, maxLength: 3 }),
  apart: fc.boolean(),
  turns: fc.array(turn, { maxLength: 40 }),
  sink: fc.array(sinkStep, { maxLength: 40 }),
  sinkBytes: fc.constantFrom(300_000, 5000, 700),
  custody: fc.constantFrom(false, false, true),
  isFile: fc.boolean(),
  kills: fc.oneof(
    fc.constant([]),
    fc.array(fc.oneof(fc.nat(100), fc.nat(2000), fc.nat(20_000)), { maxLength: 3 }),
  ),
}).map((scenario) => ({
  ...scenario,
  // CRI knows only two streams.
  inputs: scenario.format === "cri" ? scenario.inputs.slice(0, 2) : scenario.inputs,
  isFile: scenario.isFile && !scenario.custody && scenario.kills.length > 0,
})).map((scenario) => scenario.kills.length === 0 ? scenario : withoutCuts(scenario));

/**
 * A line whose beginning was handed on before a kill is cut there, and may be refused. Of
 * two inputs that have ended inside a line at the same moment, nothing says which of them
 * raw output was in the middle of.
 */
function withoutCuts(scenario: Scenario): Scenario {
  const isMixed = scenario.format === "raw" && !scenario.apart;
  const longest = Math.floor(scenario.maxLineBytes / 10);
  return {
    ...scenario,
    inputs: scenario.inputs.map((input) => ({
      ...input,
      writes: input.writes.map((write) => ({
        ...write,
        ends: write.ends || isMixed,
        lineBytes: Math.min(write.lineBytes, longest),
        leaves: write.leaves && write.ends && write.lines > 0,
      })),
    })),
    turns: scenario.turns.map((turn) => ({ ...turn, ms: Math.min(turn.ms, 11) })),
    sink: scenario.sink.map((step) => ({
      ...step,
      stallMs: Math.min(step.stallMs, 30),
      answer: step.answer === "fails" ? "fails" : "takes",
    })),
  };
}
