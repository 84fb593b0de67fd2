/** Rates are taken over at least this time, and hardly more where samples are frequent. */
const WINDOW_MS = 1000;
/** Samples that come faster take each other's place, so that few are kept. */
const MIN_SAMPLE_MS = 50;

/** What has passed two places by one moment. */
interface Sample {
  /** Monotonic. */
  readonly timeMs: number;
  readonly bytesIn: bigint;
  readonly bytesOut: bigint;
}

/**
 * Bytes per second, in and out, from a counter that is looked at now and then.
 * Holds at most twice WINDOW_MS / MIN_SAMPLE_MS samples, and two.
 */
export class Rates {
  readonly #samples: Sample[];

  /** @param startMs monotonic; when the counters were at 0 */
  constructor(startMs: number) {
    this.#samples = [{ timeMs: startMs, bytesIn: 0n, bytesOut: 0n }];
  }

  /** @param timeMs monotonic */
  sample(timeMs: number, bytesIn: bigint, bytesOut: bigint): void {
    const samples = this.#samples;
    // The newest one always counts: what has just begun would else have a rate of 0.
    if (samples.length > 1 && timeMs - samples.at(-2)!.timeMs < MIN_SAMPLE_MS) {
      samples.pop();
    }
    samples.push({ timeMs, bytesIn, bytesOut });
    // The first one left is the newest that is a whole window old.
    while (samples.length > 2 && timeMs - samples[1]!.timeMs >= WINDOW_MS) {
      samples.shift();
    }
  }

  get inBytesPerSecond(): number {
    return this.#perSecond((sample) => sample.bytesIn);
  }

  get outBytesPerSecond(): number {
    return this.#perSecond((sample) => sample.bytesOut);
  }

  #perSecond(bytes: (sample: Sample) => bigint): number {
    const [first, last] = [this.#samples[0]!, this.#samples.at(-1)!];
    if (first.timeMs === last.timeMs) return 0;
    return Number(bytes(last) - bytes(first)) * 1000 / (last.timeMs - first.timeMs);
  }
}
