/** Of one input, at one moment. Lines are counted where they end. */
export interface Counts {
  linesIn: bigint;
  bytesIn: bigint;
  linesOut: bigint;
  bytesOut: bigint;
  linesOverwritten: bigint;
  bytesOverwritten: bigint;
  linesDropped: bigint;
  bytesDropped: bigint;
  linesRejected: bigint;
  bytesRejected: bigint;
  /** What is in none of the above: in the ring or in a thread's hand. */
  linesBuffered: bigint;
  bytesBuffered: bigint;
}

export const NOTHING_COUNTED: Counts = {
  linesIn: 0n,
  bytesIn: 0n,
  linesOut: 0n,
  bytesOut: 0n,
  linesOverwritten: 0n,
  bytesOverwritten: 0n,
  linesDropped: 0n,
  bytesDropped: 0n,
  linesRejected: 0n,
  bytesRejected: 0n,
  linesBuffered: 0n,
  bytesBuffered: 0n,
};
const COUNT_NAMES = Object.keys(NOTHING_COUNTED) as (keyof Counts)[];

/** The sum over all inputs. */
export function total(inputs: readonly Counts[]): Counts {
  const sum = { ...NOTHING_COUNTED };
  for (const input of inputs) {
    for (const name of COUNT_NAMES) sum[name] += input[name];
  }
  return sum;
}

/** Lines and bytes that were read and will never come out. */
export function lost(counts: Counts): { lines: bigint; bytes: bigint } {
  return {
    lines: counts.linesOverwritten + counts.linesDropped + counts.linesRejected,
    bytes: counts.bytesOverwritten + counts.bytesDropped + counts.bytesRejected,
  };
}
