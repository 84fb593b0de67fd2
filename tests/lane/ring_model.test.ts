import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { END, STARTS_INSIDE, UNIT } from "../../src/lane/layout.ts";
import { MAX_BATCH_FRAMES } from "../../src/lane/layout.ts";
import { MIN_CAPACITY } from "../../src/lane/lane.ts";
import type { FullPolicy } from "../../src/lane/ring_producer.ts";
import { inputBytes, RingModel } from "./ring_model.ts";
import { RingPair } from "./ring_pair.ts";

type Size =
  | { readonly kind: "bytes"; readonly bytes: number }
  /** So many more or fewer than would fill the ring to its last byte. */
  | { readonly kind: "fitting"; readonly plus: number }
  /** So many fewer than the largest payload. */
  | { readonly kind: "largest"; readonly minus: number };

type Step =
  | {
    readonly kind: "push";
    readonly size: Size;
    readonly lines: number;
    readonly endsInside: boolean;
  }
  | {
    readonly kind: "drain";
    readonly maxFrames: number;
    /** Not past the arrival of so many pushes ago; undefined: whatever came. */
    readonly untilAgo: number | undefined;
  }
  | { readonly kind: "close" };

const size: fc.Arbitrary<Size> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("bytes"), bytes: fc.nat(99) }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant("bytes"), bytes: fc.nat(16_000) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("fitting"),
      plus: fc.integer({ min: -9, max: 9 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("largest"), minus: fc.nat(9) }),
  },
);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({
      kind: fc.constant("push"),
      size,
      lines: fc.nat(500),
      endsInside: fc.boolean(),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("drain"),
      maxFrames: fc.constantFrom(1, 1, 2, 3, MAX_BATCH_FRAMES),
      untilAgo: fc.option(fc.nat(6), { nil: undefined }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("close") }) },
);

/** Near the ends of 32-bit bytes, 32-bit units and 53-bit bytes, and well before 2^53 units. */
const position = fc.oneof(
  fc.constant(0),
  fc.constantFrom(2 ** 29, 2 ** 32, 2 ** 50, 2 ** 52).chain((border) =>
    fc.nat(10_000).map((before) => border - before)
  ),
);

const START_TIME = 500;
const HAND_BYTES = MIN_CAPACITY + 4096;

/** The real ring and the model, side by side. */
class Twins {
  readonly real: RingPair;
  readonly model: RingModel;
  readonly #policy: FullPolicy;
  #time = 1000;
  #closed = false;

  constructor(policy: FullPolicy, capacityBytes: number, position: number) {
    this.#policy = policy;
    this.real = new RingPair({
      policy,
      capacityBytes,
      position,
      startTime: START_TIME,
      handBytes: HAND_BYTES,
    });
    const { ringBytes, handBytes } = this.real.ring;
    this.model = new RingModel(ringBytes, handBytes, policy, START_TIME);
  }

  do(step: Step): void {
    if (step.kind === "drain") this.drain(step.maxFrames, step.untilAgo);
    else if (this.#closed) return;
    else if (step.kind === "push") this.#push(step.size, step.lines, step.endsInside);
    else this.close();
    this.#checkSums();
  }

  #push(size: Size, linesWanted: number, endsInside: boolean): void {
    const bytes = Math.min(this.#bytesOf(size), this.real.producer.maxPayloadBytes);
    // A piece that goes on with a line holds nothing else; and an empty frame
    // neither begins nor ends a line.
    const unfinished = bytes === 0 ? this.model.inside : endsInside;
    const most = bytes === 0 ? 0 : this.model.inside ? (unfinished ? 0 : 1) : bytes;
    const lines = Math.min(linesWanted, most);
    const flags = this.model.inside ? STARTS_INSIDE : 0;
    const from = this.model.bytesIn;
    const payload = inputBytes(from, from + bytes);
    const time = this.#time++;
    const expected = this.model.push(bytes, lines, unfinished, time);
    assertEquals(this.real.push(payload, lines, flags, time), expected);
  }

  #bytesOf(size: Size): number {
    switch (size.kind) {
      case "bytes":
        return size.bytes;
      case "fitting":
        return Math.max(0, this.model.fittingBytes + size.plus);
      case "largest":
        return this.real.producer.maxPayloadBytes - size.minus;
    }
  }

  drain(maxFrames: number, untilAgo?: number): boolean {
    const until = untilAgo === undefined ? Infinity : this.#time - untilAgo;
    const expected = this.model.drain(maxFrames, until);
    const taken = this.real.drain(maxFrames, until);
    assertEquals(taken, expected);
    if (taken?.end) assert(this.real.consumer.ended);
    return taken !== undefined;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const time = this.#time++;
    const { lines, flags } = this.model.close(time);
    this.real.producer.close(lines, flags & ~END, time);
  }

  /** Everything that came in is delivered, lost with its reason, or in the ring. */
  #checkSums(): void {
    const { model, real: { consumer, producer } } = this;
    assertEquals(consumer.discardedBytes, model.discardedBytes);
    assertEquals(consumer.discardedLines, model.discardedLines);
    assertEquals(
      model.deliveredBytes + model.overwrittenBytes + model.droppedBytes +
        model.discardedBytes + model.bufferedBytes,
      model.bytesIn,
    );
    assertEquals(
      model.deliveredLines + model.overwrittenLines + model.droppedLines +
        model.discardedLines + model.bufferedLines,
      model.linesIn,
    );
    assertEquals(producer.crowded, 2 * model.free < model.ringBytes);
    assertEquals(producer.backlogged, model.free < model.ringBytes);
    if (this.#policy !== "drop-newest") assertEquals(model.droppedBytes, 0);
    if (this.#policy !== "overwrite") assertEquals(model.overwrittenBytes, 0);
  }
}

const capacity = fc.constantFrom(
  MIN_CAPACITY,
  MIN_CAPACITY + 1,
  MIN_CAPACITY + 7,
  MIN_CAPACITY + 4096 + 13,
);

for (const policy of ["overwrite", "drop-newest", "block"] as const) {
  Deno.test(`${policy}: any pushes and pops come out as a plain list of frames says`, () => {
    fc.assert(
      fc.property(
        capacity,
        position,
        fc.array(step, { maxLength: 60, size: "max" }),
        (capacityBytes, position, steps) => {
          const twins = new Twins(policy, capacityBytes, position);
          for (const step of steps) twins.do(step);
          twins.close();
          while (twins.drain(MAX_BATCH_FRAMES));
          assert(twins.real.consumer.ended);
          assertEquals(twins.model.bufferedBytes, 0);
        },
      ),
      { numRuns: 60 },
    );
  });
}

Deno.test("positions grow past 2^32 and 2^53 bytes as they grow anywhere", () => {
  const ringUnits = new RingPair().ring.ringBytes / UNIT;
  for (const border of [2 ** 29, 2 ** 32, 2 ** 50]) {
    const twins = new Twins("overwrite", MIN_CAPACITY, border - 2 * ringUnits);
    for (let index = 0; index < 40; index++) {
      twins.do({
        kind: "push",
        size: { kind: "bytes", bytes: 6000 + 7 * index },
        lines: 3,
        endsInside: false,
      });
      if (index % 3 === 0) twins.do({ kind: "drain", maxFrames: 1, untilAgo: undefined });
    }
    while (twins.drain(MAX_BATCH_FRAMES));
    assert(twins.model.overwrittenBytes > 0);
  }
});
