import { SinkRejection, TemporaryError } from "../../src/errors.ts";
import { goesOn, type Outgoing } from "../../src/formats/format.ts";
import { ARRIVED, type Custody, type Sink, type Verdict } from "../../src/output/sink.ts";
import type { Wait } from "../../src/output/wait.ts";
import { Parked } from "./simulated_clock.ts";
import type { Scenario, SinkStep } from "./scenario.ts";
import type { StreamTexts } from "./stream_texts.ts";

/** Longer than any deadline. */
const STUCK_MS = 60_000;
const ROUND_TRIP_MS = 10;

/** What the sink needs of the run it is in. */
export interface Surroundings {
  readonly texts: StreamTexts;
  /** The program has begun to exit. */
  readonly exiting: boolean;
  turn(): void;
  /** Lets turns go by until then, and until the exit if that comes before. */
  sleep(ms: number): void;
}

/** What of a sink outlives the run that writes to it. */
export class Destination {
  /** Of the script, those that are over. */
  steps = 0;
  failures = 0;
  rejectedBytes = 0;
  /** All that a file has got. */
  readonly written: Uint8Array[] = [];
  bytes = 0;
}

const FILE = "8:1:4711";

/** Does what its steps say, and then takes everything. */
export class SimulatedSink implements Sink {
  readonly name = "the simulated sink";
  finished = false;
  onAppending: Sink["onAppending"];
  readonly custody?: Custody;
  /** Writes that took something, which is still on its way. */
  #underway = 0;
  /** Writes whose bytes have arrived, but have not been asked about. */
  #arrived = 0;
  readonly #script: readonly SinkStep[];
  readonly #mostBytes: number;
  readonly #run: Surroundings;
  readonly #isFile: boolean;
  readonly #destination: Destination;
  #absences = 0;
  /** When what is tended arrives. */
  #arrivesAtMs: number | undefined;
  /** When the step that goes on has stalled for long enough. */
  #stalledUntilMs: number | undefined;
  #isPromised = false;

  /** @param number of so many sinks */
  constructor(
    scenario: Scenario,
    run: Surroundings,
    destination: Destination,
    number: number,
    count: number,
  ) {
    this.#destination = destination;
    this.#isFile = scenario.isFile;
    this.#script = scenario.sink.filter((_, index) => index % count === number);
    this.#mostBytes = scenario.sinkBytes;
    this.#run = run;
    if (scenario.custody) this.custody = this.#custody();
  }

  /** What was taken arrives with one of the next writes, or when it is waited for. */
  #custody(): Custody {
    const underway = () => this.#underway;
    return {
      takeVerdict: (): Verdict | undefined => {
        if (this.#arrived === 0) return undefined;
        this.#arrived--;
        this.#underway--;
        return ARRIVED;
      },
      get settled(): boolean {
        return underway() === 0;
      },
      tend: (wait: Wait) => {
        const nowMs = performance.now();
        this.#arrivesAtMs ??= nowMs + ROUND_TRIP_MS;
        if (nowMs < this.#arrivesAtMs) {
          wait.until(this.#arrivesAtMs);
        } else {
          this.#arrived = this.#underway;
          this.#arrivesAtMs = undefined;
          wait.until(nowMs);
        }
      },
    };
  }

  ready(wait: Wait): boolean {
    this.#run.turn();
    if (this.#absences++ < (this.#script[this.#destination.steps]?.absent ?? 0)) {
      wait.until(performance.now() + 10);
      return false;
    }
    this.#absences = 0;
    return true;
  }

  write(piece: Outgoing, from: number, wait: Wait): number {
    const step = this.#script[this.#destination.steps];
    if (step !== undefined && this.#putOff(step, wait)) return 0;
    if (++this.#destination.steps % 2 === 0) this.#arrived = this.#underway;
    if (step === undefined) {
      this.#run.turn();
      return this.#take(piece, from, this.#mostBytes);
    }
    for (let turns = 0; turns < step.turns; turns++) this.#run.turn();
    const taken = this.#answer(step, piece, from);
    if (taken === 0) wait.until(performance.now());
    return taken;
  }

  /** A step may have no room for a time, or need the event loop first. */
  #putOff({ stallMs, promised }: SinkStep, wait: Wait): boolean {
    this.#stalledUntilMs ??= performance.now() + stallMs;
    if (performance.now() < this.#stalledUntilMs) {
      wait.until(this.#stalledUntilMs);
      return true;
    }
    this.#isPromised = promised && !this.#isPromised;
    if (this.#isPromised) {
      wait.promise = Promise.resolve();
      return true;
    }
    this.#stalledUntilMs = undefined;
    return false;
  }

  #answer(step: SinkStep, piece: Outgoing, from: number): number {
    switch (step.answer) {
      case "takes":
        return this.#take(piece, from, step.bytes);
      case "fails":
        this.#destination.failures++;
        throw new TemporaryError("the simulated disk is full");
      case "rejects":
        return this.#reject(piece, from);
      case "gets stuck":
        this.#run.sleep(STUCK_MS);
        // The exit takes the thread along, wherever it is.
        if (this.#run.exiting) throw new Parked();
        return this.#take(piece, from, step.bytes);
    }
  }

  #take(piece: Outgoing, from: number, most: number): number {
    const taken = Math.min(most, piece.length - from);
    return this.#took(piece, from, taken);
  }

  /** One record for good; what is left of one it has begun with, it takes. */
  #reject(piece: Outgoing, from: number): number {
    const bytes = piece.recordEnd(from) - from;
    // When the beginning of a line is refused, its rest does not come here.
    const begun = piece.recordStart(from) !== from || goesOn(piece, from + bytes);
    if (begun) return this.#took(piece, from, bytes);
    // For the texts that is the same: nothing is missing that is not counted.
    this.#run.texts.took(piece, from, bytes);
    const before = { ...piece.progress(from) };
    this.#destination.rejectedBytes += piece.progress(from + bytes).bytes - before.bytes;
    throw new SinkRejection("the simulated server does not want it", bytes);
  }

  #took(piece: Outgoing, from: number, bytes: number): number {
    if (this.#isFile) this.#append(piece.bytes.slice(from, from + bytes));
    this.#run.texts.took(piece, from, bytes);
    if (bytes > 0) this.#underway++;
    return bytes;
  }

  #append(bytes: Uint8Array): void {
    const { written } = this.#destination;
    this.onAppending?.(FILE, this.#destination.bytes);
    written.push(bytes);
    this.#destination.bytes += bytes.length;
  }

  contentFrom(identity: string, from: number): Uint8Array | undefined {
    if (!this.#isFile || identity !== FILE) return undefined;
    return concat(this.#destination.written).subarray(from);
  }

  reopen(): void {}

  finish(): boolean {
    this.finished = true;
    return true;
  }
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
