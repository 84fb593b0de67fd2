/** Thrown in place of a wait that never ends: the program exits meanwhile. */
export class Parked extends Error {}

/** What a thread that sleeps lets others do. @param untilMs monotonic */
type Sleep = (untilMs: number) => void;

const real = {
  dateNow: Date.now,
  performanceNow: performance.now,
  wait: Atomics.wait,
  setTimeout: globalThis.setTimeout,
};

/** The clocks of a run, and what sleeps by them; they move only when a run moves them. */
export class SimulatedClock {
  /** Monotonic. */
  nowMs = 0;
  #wallMs: number;

  /** @param wallMs in ms since 1970 */
  constructor(wallMs: number) {
    this.#wallMs = wallMs;
  }

  pass(ms: number): void {
    this.nowMs += ms;
    this.#wallMs += ms;
  }

  setBack(ms: number): void {
    this.#wallMs -= ms;
  }

  /** Puts itself in the place of the system's clocks. Call `uninstall` in any case. */
  install(sleep: Sleep): void {
    Date.now = () => this.#wallMs;
    performance.now = () => this.nowMs;
    Atomics.wait = (
      _words: Int32Array | BigInt64Array,
      _index: number,
      _value: unknown,
      ms?: number,
    ) => {
      if (ms === undefined) throw new Parked();
      sleep(this.nowMs + ms);
      return "timed-out";
    };
    globalThis.setTimeout = Object.assign((callback: () => void, ms = 0) => {
      sleep(this.nowMs + ms);
      queueMicrotask(callback);
      return 0;
    }, real.setTimeout);
  }

  uninstall(): void {
    Date.now = real.dateNow;
    performance.now = real.performanceNow;
    Atomics.wait = real.wait;
    globalThis.setTimeout = real.setTimeout;
  }
}
