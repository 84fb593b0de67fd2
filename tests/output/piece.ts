import type { Outgoing } from "../../src/formats/format.ts";
import { addressOf } from "../../src/system/memory.ts";

/** Bytes on their way to a sink, as one record that is not finished. */
export function pieceOf(bytes: Uint8Array): Outgoing {
  return {
    label: "stdout",
    run: "a run",
    firstByte: 0,
    bytes,
    length: bytes.length,
    address: addressOf(bytes),
    startsInside: false,
    endsInside: true,
    recordEnd: () => bytes.length,
    recordStart: () => 0,
    progress: (written) => ({ bytes: written, lines: 0 }),
  };
}
