import type { LineFramer } from "./line_framer.ts";

/** What this needs to know of an input: see `InputLoop`. */
interface OrderedInput {
  readonly ended: boolean;
  readonly framer: Pick<LineFramer, "pushWhole">;
}

/**
 * Lines that wait for company came before those that another input is about to read,
 * so they go into their ring before them, as they are: otherwise records of two
 * streams could come out as far apart as lines may wait. The order of what
 * comes out of two pipes in one round is unknown. Reader thread only.
 *
 * @param isReady whether the input in that place is about to read
 */
export function pushBeforeOthers(
  inputs: readonly OrderedInput[],
  isReady: (slot: number) => boolean,
): void {
  let ready = 0;
  for (let slot = 0; slot < inputs.length; slot++) {
    if (isReady(slot)) ready++;
  }
  for (let slot = 0; slot < inputs.length; slot++) {
    const others = isReady(slot) ? ready - 1 : ready;
    const input = inputs[slot]!;
    if (others > 0 && !input.ended) input.framer.pushWhole();
  }
}
