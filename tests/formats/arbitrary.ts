import fc from "fast-check";

/** The bytes on both sides of every rule there is about text. */
const EDGES = [
  ...[0, 9, 10, 13, 31, 32, 34, 38, 60, 62, 65, 92, 126, 127, 128, 143, 144, 159, 160],
  ...[168, 169, 191, 192, 193, 194, 223, 224, 225, 226, 236, 237, 238, 239, 240, 241],
  ...[243, 244, 245, 255],
];

const WORDS = [
  ...["plain text, longer than sixteen bytes", "\n", "\r\n", '"', "\\", "<&>", "\t\0"],
  ...[
    "é",
    "\u2028",
    "\u2029",
    "\u2027",
    "€",
    "\ufeff",
    "\ufffd",
    "𝄞",
    "\ud7ff",
    "\u{10ffff}",
  ],
].map((word) => new TextEncoder().encode(word));

/** Text, mostly, with everything in it that can go wrong. */
export const anyBytes: fc.Arbitrary<Uint8Array> = fc.array(
  fc.oneof(
    fc.constantFrom(...WORDS),
    fc.constantFrom(...EDGES).map((byte) => new Uint8Array([byte])),
    fc.uint8Array({ maxLength: 20 }),
  ),
  { maxLength: 60 },
).map((parts) => new Uint8Array(parts.flatMap((part) => [...part])));

/**
 * The frames that an input of these bytes may come in: whole lines, or pieces of
 * one, cut anywhere.
 */
export const anyFrames: fc.Arbitrary<Uint8Array[]> = fc.tuple(
  anyBytes,
  fc.infiniteStream(fc.nat({ max: 120 })),
).map(([bytes, lengths]) => {
  const frames: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = Math.min(bytes.length, at + 1 + (lengths.next().value ?? 0));
    const inside = at > 0 && bytes[at - 1] !== 10;
    frames.push(
      bytes.subarray(
        at,
        inside ? firstLineEnd(bytes, at, end) : wholeLines(bytes, at, end),
      ),
    );
    at += frames.at(-1)!.length;
  }
  return frames;
});

/** A piece that goes on with a line holds no other line. */
function firstLineEnd(bytes: Uint8Array, from: number, end: number): number {
  const newline = bytes.subarray(from, end).indexOf(10);
  return newline < 0 ? end : from + newline + 1;
}

/** Either whole lines or a piece of one. */
function wholeLines(bytes: Uint8Array, from: number, end: number): number {
  const newline = bytes.subarray(from, end).lastIndexOf(10);
  return newline < 0 ? end : from + newline + 1;
}
