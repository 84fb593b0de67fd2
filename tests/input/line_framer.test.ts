import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { READ_BYTES } from "../../src/input/landing.ts";
import { MIN_CAPACITY } from "../../src/lane/lane.ts";
import { encode, type Taken, textOf } from "../lane/ring_pair.ts";
import { FramedInput } from "./framed_input.ts";

const MIB = 1024 ** 2;
const NEWLINE = 10;
const ROOMY = { capacityBytes: MIB } as const;

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function countNewlines(bytes: Uint8Array): number {
  return bytes.reduce((count, byte) => count + (byte === NEWLINE ? 1 : 0), 0);
}

/** How lines end in the bytes of an input, whose last one may end with them. */
function countLines(bytes: Uint8Array): number {
  return countNewlines(bytes) + (bytes.length > 0 && bytes.at(-1) !== NEWLINE ? 1 : 0);
}

/** Pieces of input that are awkward in some way. */
const awkward = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: "binary", maxLength: 60 }).map(encode) },
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 60 }) },
  {
    weight: 3,
    arbitrary: fc.constantFrom("\n", "\n\n\n", "\r\n", "\0", "\0\n", "é€😀\n").map(
      encode,
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constantFrom("x", "é", "€", "😀"), fc.nat(400))
      .map(([character, count]) => encode(character.repeat(count))),
  },
);
const inputBytes = fc.array(awkward, { maxLength: 30, size: "max" }).map(concat);

interface Chunk {
  readonly bytes: number;
  readonly pauseMs: number;
  readonly drain: boolean;
}

const chunk: fc.Arbitrary<Chunk> = fc.record({
  bytes: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 700 })),
  pauseMs: fc.constantFrom(0, 0, 0, 1, 10, 999, 1000, 5000),
  drain: fc.boolean(),
});
const chunks = fc.array(chunk, { minLength: 1, maxLength: 40, size: "max" });

/** Lands the bytes in these chunks, again and again until all have landed. */
function feed(input: FramedInput, bytes: Uint8Array, chunks: readonly Chunk[]): Taken[] {
  const taken: Taken[] = [];
  for (let [at, index] = [0, 0]; at < bytes.length; index++) {
    const { bytes: chunkBytes, pauseMs, drain } = chunks[index % chunks.length]!;
    const length = Math.min(chunkBytes, input.framer.room);
    input.land(bytes.subarray(at, at + length));
    at += length;
    if (drain) taken.push(...input.drainAll());
    input.passMs(pauseMs);
  }
  input.end();
  return [...taken, ...input.drainAll()];
}

Deno.test("any chunking of an input comes out as the same bytes and lines", () => {
  fc.assert(
    fc.property(inputBytes, chunks, (bytes, chunks) => {
      const input = new FramedInput({ ...ROOMY, maxLineBytes: 64 });
      const taken = feed(input, bytes, chunks);
      assertEquals(concat(taken.map(({ bytes }) => bytes)), bytes);
      const lines = countLines(bytes);
      assertEquals(taken.reduce((sum, batch) => sum + batch.lines, 0), lines);
      assertEquals(input.counts.linesIn, BigInt(lines));
      assertEquals(input.counts.bytesIn, BigInt(bytes.length));
      assertEquals(taken.reduce((sum, batch) => sum + batch.gapBytes, 0), 0);
      assertEquals(input.losses, 0);
    }),
    { numRuns: 150 },
  );
});

Deno.test("a batch starts inside a line exactly when the one before ended in it", () => {
  fc.assert(
    fc.property(inputBytes, chunks, (bytes, chunks) => {
      const input = new FramedInput({ ...ROOMY, maxLineBytes: 64 });
      let inside = false;
      for (const batch of feed(input, bytes, chunks)) {
        assertEquals(batch.startsInside, inside);
        if (batch.bytes.length > 0) inside = batch.bytes.at(-1) !== NEWLINE;
      }
    }),
    { numRuns: 100 },
  );
});

for (const policy of ["overwrite", "drop-newest"] as const) {
  Deno.test(`${policy}: any chunking into a ring that is too small loses whole lines`, () => {
    const large = fc.array(fc.integer({ min: 1, max: 40_000 }), {
      minLength: 1,
      maxLength: 8,
      size: "max",
    }).chain((lengths) =>
      fc.constant(lengths.map((length, index) => `${index} `.padEnd(length, "z") + "\n"))
    );
    fc.assert(
      fc.property(large, chunks, (lines, chunks) => {
        const input = new FramedInput({ policy, maxLineBytes: 4096 });
        const bytes = encode(lines.join(""));
        const larger = chunks.map((chunk) => ({ ...chunk, bytes: chunk.bytes * 40 }));
        const taken = feed(input, bytes, larger);
        // A line whose later pieces are lost is there up to the loss: it is
        // among the lost ones, and its bytes are not.
        let rest = lines;
        let [outBytes, outLines, lostBytes, lostLines] = [0, 0, 0, 0];
        let begun = "";
        for (const batch of taken) {
          if (batch.gapBytes > 0) {
            rest = rest.slice(batch.gapLines);
            begun = "";
          }
          const text = begun + textOf(batch);
          const whole = text.split("\n").slice(0, -1);
          assertEquals(
            whole,
            rest.slice(0, whole.length).map((line) => line.slice(0, -1)),
          );
          rest = rest.slice(whole.length);
          begun = text.slice(text.lastIndexOf("\n") + 1);
          assert(begun === "" || rest[0]!.startsWith(begun));
          outBytes += batch.bytes.length;
          outLines += batch.lines;
          lostBytes += batch.gapBytes;
          lostLines += batch.gapLines;
        }
        assertEquals(rest, []);
        input.counters.add("out", outBytes, outLines);
        input.counters.setDiscarded(
          input.consumer.discardedBytes,
          input.consumer.discardedLines,
        );
        const { counts } = input;
        assertEquals(counts.linesBuffered, 0n);
        assertEquals(counts.bytesBuffered, 0n);
        const overwrite = policy === "overwrite";
        assertEquals(
          overwrite ? counts.linesOverwritten : counts.linesDropped,
          BigInt(lostLines),
        );
        assertEquals(
          overwrite ? counts.bytesOverwritten : counts.bytesDropped,
          BigInt(lostBytes),
        );
      }),
      { numRuns: 60 },
    );
  });
}

Deno.test("a line that is as long as allowed stays whole, with its newline or without", () => {
  // The second is also longer than a frame of many lines would be.
  for (const maxLineBytes of [64, 8192]) {
    const line = "x".repeat(maxLineBytes);
    for (const text of [`${line}\n`, line]) {
      const input = new FramedInput({ maxLineBytes });
      input.land(text);
      input.end();
      assertEquals(textOf(input.pop()), text);
    }
  }
});

Deno.test("an unfinished line over the limit goes at once, in pieces of that size", () => {
  const input = new FramedInput({ maxLineBytes: 64 });
  input.land("y".repeat(64));
  assertEquals(input.pop(), undefined);
  input.land("y".repeat(65));
  const pieces = [input.pop()!, input.pop()!];
  assertEquals(pieces.map(({ bytes }) => bytes.length), [64, 64]);
  assertEquals(pieces.map(({ lines }) => lines), [0, 0]);
  assertEquals(pieces.map(({ startsInside }) => startsInside), [false, true]);
  assertEquals(input.pop(), undefined);
  input.land("\nnext\n");
  const rest = input.drainAll();
  assertEquals(textOf(...rest), "y\nnext\n");
  assertEquals(input.counts.linesIn, 2n);
});

Deno.test("what goes on with a line never shares a frame with the next line", () => {
  const input = new FramedInput({ maxLineBytes: 64 });
  input.land("begun");
  input.passMs(1000);
  input.land(" and ended\nnext\n");
  input.passMs(10);
  assertEquals(textOf(input.pop()), "begun");
  assertEquals(textOf(input.pop()), " and ended\n");
  assertEquals(textOf(input.pop()), "next\n");
});

Deno.test("pieces do not cut UTF-8 characters", () => {
  for (const character of ["é", "€", "😀"]) {
    for (let shift = 0; shift < 4; shift++) {
      const text = "a".repeat(shift) + character.repeat(200) + "\n";
      const input = new FramedInput({ maxLineBytes: 64 });
      input.land(text.slice(0, -1));
      input.land("\n");
      input.passMs(10);
      const strict = new TextDecoder("utf-8", { fatal: true });
      let joined = "";
      for (let piece = input.pop(); piece !== undefined; piece = input.pop()) {
        assert(piece.bytes.length <= 65 && piece.bytes.length > 0);
        joined += strict.decode(piece.bytes);
      }
      assertEquals(joined, text);
    }
  }
});

Deno.test("bytes that are no UTF-8 are cut at the limit", () => {
  const input = new FramedInput({ maxLineBytes: 64 });
  input.land(new Uint8Array(65).fill(0x80));
  assertEquals(input.pop()!.bytes.length, 64);
});

Deno.test("nothing is taken for text: NUL, CR, every byte and empty lines pass through", () => {
  const every = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  const bytes = concat([encode("\n\n\r\n\0\n\r\r\n\n"), every, encode("\n\n")]);
  const input = new FramedInput({});
  input.land(bytes);
  input.end();
  const taken = input.drainAll();
  assertEquals(concat(taken.map(({ bytes }) => bytes)), bytes);
  assertEquals(input.counts.linesIn, 9n);
});

Deno.test("an unfinished line is pushed after its time, and not before", () => {
  const input = new FramedInput({});
  input.land("prompt> ");
  assertEquals(input.framer.deadlineMs, 1000);
  input.passMs(999);
  assertEquals(input.pop(), undefined);
  input.passMs(1);
  const piece = input.pop()!;
  assertEquals([textOf(piece), piece.lines], ["prompt> ", 0]);
  assertEquals(input.framer.deadlineMs, Infinity);
  input.land("yes\n");
  assertEquals(input.pop()!.startsInside, true);
  assertEquals(input.counts.linesIn, 1n);
});

for (const character of ["é", "€", "😀"]) {
  const bytes = encode(`a${character}b`);
  for (let cut = 2; cut < bytes.length - 1; cut++) {
    Deno.test(`a pause after ${cut - 1} bytes of ${character} leaves it whole`, () => {
      const input = new FramedInput({});
      input.land(bytes.subarray(0, cut));
      input.passMs(1000);
      assertEquals(textOf(...input.drainAll()), "a");
      assertEquals(input.framer.deadlineMs, Infinity);
      input.passMs(60_000);
      input.land(bytes.subarray(cut));
      assertEquals(input.framer.deadlineMs, 62_000);
      input.passMs(1000);
      const rest = input.drainAll();
      const whole = concat(rest.map(({ bytes }) => bytes));
      assertEquals(new TextDecoder().decode(whole), `${character}b`);
      assertEquals(rest.map(({ startsInside }) => startsInside), [true]);
    });
  }
}

Deno.test("bytes that begin no character do not wait for its rest", () => {
  for (const bytes of [[0x61, 0x80], [0x80, 0x80, 0x80], [0xc1], [0xf5], [0xc3, 0xa9]]) {
    const input = new FramedInput({});
    input.land(Uint8Array.from(bytes));
    input.passMs(1000);
    assertEquals([...concat(input.drainAll().map(({ bytes }) => bytes))], bytes);
  }
});

Deno.test("the beginning of a character at the end is delivered as it came", () => {
  const input = new FramedInput({});
  input.land(Uint8Array.of(0xe2, 0x82));
  input.passMs(1000);
  assertEquals(input.pop(), undefined);
  input.end();
  const taken = input.drainAll();
  assertEquals([...concat(taken.map(({ bytes }) => bytes))], [0xe2, 0x82]);
  assertEquals(input.counts.linesIn, 1n);
});

Deno.test("a line that trickles in is pushed as far as it has come once a second", () => {
  const input = new FramedInput({});
  let pushed = 0;
  for (let tenths = 0; tenths < 50; tenths++) {
    input.land(".");
    input.passMs(100);
    while (input.pop()) pushed++;
  }
  assertEquals(pushed, 5);
});

Deno.test("an unfinished line at the end is delivered as it came, and is a line", () => {
  const input = new FramedInput({});
  input.land("one\ntwo");
  input.end();
  const taken = input.drainAll();
  assertEquals(textOf(...taken), "one\ntwo");
  assertEquals(taken.reduce((sum, { lines }) => sum + lines, 0), 2);
  assertEquals(input.counts.linesIn, 2n);
  assert(taken.at(-1)!.end);
});

Deno.test("an input without a byte ends without a line", () => {
  const input = new FramedInput({});
  input.end();
  const [only, ...more] = input.drainAll();
  assertEquals([only!.bytes.length, only!.lines, only!.end], [0, 0, true]);
  assertEquals(more, []);
  assertEquals(input.counts.linesIn, 0n);
});

Deno.test("lines go at once while nothing waits in the ring, then keep each other company", () => {
  const input = new FramedInput({});
  input.land("first\n");
  assertEquals(input.framer.deadlineMs, Infinity);
  input.nowMs = 100;
  input.land("second\n");
  assertEquals(input.framer.deadlineMs, 110);
  input.nowMs = 105;
  input.land("third\nunfin");
  assertEquals(input.framer.deadlineMs, 110);
  input.passMs(5);
  assertEquals(textOf(input.pop()), "first\n");
  assertEquals(textOf(input.pop()), "second\nthird\n");
  assertEquals(input.pop(), undefined);
});

Deno.test("lines do not wait once they fill a frame", () => {
  const input = new FramedInput({});
  input.land("first\n");
  const line = "x".repeat(999) + "\n";
  for (let count = 0; count < 4; count++) input.land(line);
  assertEquals(input.framer.deadlineMs, 10);
  input.land(line);
  assertEquals(input.framer.deadlineMs, Infinity);
  assertEquals(input.drainAll().reduce((sum, { lines }) => sum + lines, 0), 6);
});

Deno.test("there is always room for a read, whatever has gathered and is unfinished", () => {
  const input = new FramedInput({ ...ROOMY, maxLineBytes: 64 * 1024 });
  input.land("waits in the ring\n");
  for (let reads = 0; reads < 20; reads++) {
    input.land("g".repeat(8000) + "\n" + "u".repeat(64 * 1024 - reads));
    assert(input.framer.room >= READ_BYTES / 2);
    input.land("\n".padStart(input.framer.room, "v"));
    assert(input.framer.room >= READ_BYTES / 2);
  }
});

Deno.test("a read is a whole number of bytes, whatever the capacity", () => {
  for (let more = 0; more < 4; more++) {
    const { framer } = new FramedInput({ capacityBytes: MIN_CAPACITY + more });
    assertEquals(framer.room, MIN_CAPACITY / 4);
  }
});

Deno.test("each push that overwrites says so", () => {
  const input = new FramedInput({});
  const line = "o".repeat(999) + "\n";
  while (input.counts.linesOverwritten === 0n) {
    assertEquals(input.losses, 0);
    input.land(line);
    input.passMs(10);
  }
  assertEquals(input.losses, 1);
});

Deno.test("nobody sees more of a line than that it has come in, before it has", () => {
  const input = new FramedInput({ capacityBytes: MIN_CAPACITY });
  const line = "i".repeat(99) + "\n";
  let pushed = 0n;
  input.onLoss = () => {
    // The frame that has just been pushed is the newest of these.
    for (const { lines } of input.drainAll()) pushed += BigInt(lines);
    const { linesIn, linesOverwritten, linesBuffered } = input.counts;
    assertEquals(linesIn, pushed + linesOverwritten);
    assertEquals(linesBuffered, pushed);
  };
  // A read makes several frames, of which the first ones fit.
  while (input.losses === 0) input.land(line.repeat(Math.floor(input.framer.room / 100)));
  assert(pushed > 0n);
});

Deno.test("the consumer hears of drops after a second without any other frame", () => {
  const input = new FramedInput({ policy: "drop-newest" });
  const line = "d".repeat(999) + "\n";
  while (input.losses === 0) {
    input.land(line);
    input.passMs(10);
  }
  assertEquals(input.counts.linesDropped, 1n);
  const stored = input.drainAll();
  assertEquals(stored.reduce((sum, { gapBytes }) => sum + gapBytes, 0), 0);
  input.passMs(989);
  assertEquals(input.pop(), undefined);
  input.passMs(1);
  const { bytes, gapLines, gapBytes } = input.pop()!;
  assertEquals([bytes.length, gapLines, gapBytes], [0, 1, 1000]);
  assertEquals(input.framer.deadlineMs, Infinity);
});

Deno.test("the consumer hears of drops out of a ring that stays full when it no longer is", () => {
  const input = new FramedInput({ policy: "drop-newest" });
  const fill = (line: string) => {
    const before = input.losses;
    while (input.losses === before) {
      input.land(line);
      input.passMs(10);
    }
  };
  fill("d".repeat(999) + "\n");
  fill("d".repeat(15) + "\n");
  // Now there is no room for an empty frame either.
  for (let second = 0; second < 5; second++) input.passMs(1000);
  const stored = input.drainAll();
  assertEquals(stored.reduce((sum, { gapBytes }) => sum + gapBytes, 0), 1000);
  assertEquals(input.framer.deadlineMs, input.nowMs + 1000);
  input.passMs(1000);
  const told = input.drainAll();
  assertEquals(told.map(({ gapBytes }) => gapBytes), [16]);
  assertEquals(input.counts.bytesDropped, 1016n);
});

Deno.test("bytes for which there was no room have not landed", () => {
  for (const bytes of [-1, new FramedInput().ring.landingBytes + 1]) {
    const input = new FramedInput();
    assertThrows(() => input.framer.landed(bytes, 0, 0), Error, "have landed where");
    assertEquals(input.counts.bytesIn, 0n);
  }
});

Deno.test("a rest is moved only to where nothing of it is, for a crash may come in the middle", () => {
  for (const [rest, filled] of [[9, 17], [8, 16], [7, 7]] as const) {
    const input = new FramedInput();
    const { landingAt } = input.ring;
    input.land(`1234567\n${"r".repeat(rest)}`);
    assertEquals(input.framer.landAt, landingAt + filled);
    assertEquals(textOf(input.pop()!), "1234567\n");
    input.land("\n");
    assertEquals(input.framer.landAt, landingAt, "nothing is left");
    assertEquals(textOf(input.pop()!), `${"r".repeat(rest)}\n`);
  }
});
