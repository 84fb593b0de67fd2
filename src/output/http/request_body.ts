import type { DocumentShape } from "../../formats/document.ts";

/** Whole records of one input, each with its newline; one record where there is a shape. */
interface Part {
  readonly label: string;
  readonly bytes: Uint8Array;
}

const encoder = new TextEncoder();
const COMMA = encoder.encode(",");

/** The parts one after the other, or as the one document that they make. */
export function makeBody(
  parts: readonly Part[],
  shape: DocumentShape | undefined,
): Uint8Array<ArrayBuffer> {
  return concat(
    shape === undefined ? parts.map(({ bytes }) => bytes) : document(parts, shape),
  );
}

function document(parts: readonly Part[], shape: DocumentShape): Uint8Array[] {
  const pieces: Uint8Array[] = [encoder.encode(shape.before)];
  let label: string | undefined;
  let closing = "";
  for (const part of parts) {
    if (part.label === label) {
      pieces.push(COMMA);
    } else {
      const { before, after } = shape.group(part.label);
      pieces.push(encoder.encode(`${closing}${before}`));
      closing = `${after},`;
      label = part.label;
    }
    pieces.push(part.bytes.subarray(0, -1));
  }
  pieces.push(encoder.encode(closing.slice(0, -1) + shape.after));
  return pieces;
}

function concat(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
