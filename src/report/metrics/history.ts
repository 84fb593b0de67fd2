import { type Counts, lost } from "../../lane/counters.ts";
import { MAX_CAPACITY } from "../../lane/lane.ts";
import { formatTime } from "../../units.ts";
import {
  inputsOf,
  type InputState,
  type Loss,
  type Snapshot,
  totalOf,
} from "../events.ts";
import type { History, LastLoss, Point } from "../page/status.ts";
import { Reporter } from "../reporter.ts";

/** How often the history grows, and how far back it goes: two minutes. */
export const SAMPLE_MS = 1000;
const MAX_POINTS = 120;
/** With more, only all of them together have a history. */
const MAX_INPUTS = 64;
/** A loss that pauses for so long is over, and the next is another. */
const LOSS_PAUSE_MS = 10_000;

/** What the points of a curve are made from: the sums until a moment. */
interface Totals {
  readonly timeMs: number;
  readonly bytesIn: bigint;
  readonly bytesOut: bigint;
  /** Bytes. */
  readonly lost: bigint;
}

/** One row of points, from counters that are looked at once a second. */
class Curve {
  readonly points: Point[] = [];
  #before: Totals;

  /** @param sinceMs when all was still zero */
  constructor(sinceMs: number) {
    this.#before = { timeMs: sinceMs, bytesIn: 0n, bytesOut: 0n, lost: 0n };
  }

  add(timeMs: number, counts: Counts): void {
    const { bytesIn, bytesOut } = counts;
    this.#add({ timeMs, bytesIn, bytesOut, lost: lost(counts).bytes });
  }

  /** Nothing has changed. */
  addRest(timeMs: number): void {
    this.#add({ ...this.#before, timeMs });
  }

  #add(now: Totals): void {
    const { timeMs, bytesIn, bytesOut } = now;
    // One that has gone since and come again begins from zero.
    const before = now.bytesIn < this.#before.bytesIn
      ? { ...this.#before, bytesIn: 0n, bytesOut: 0n, lost: 0n }
      : this.#before;
    this.#before = now;
    // The clock may have been set back.
    if (timeMs <= before.timeMs) return;
    const seconds = (timeMs - before.timeMs) / 1000;
    this.points.push([
      timeMs,
      Math.round(Number(bytesIn - before.bytesIn) / seconds),
      Math.round(Number(bytesOut - before.bytesOut) / seconds),
      Number(now.lost - before.lost),
    ]);
    if (this.points.length > MAX_POINTS) this.points.shift();
  }
}

/** What does not change. */
type About = Pick<History, "host" | "command">;

/**
 * The last two minutes and the last loss, for a page that is opened now. Control
 * thread only.
 */
export class StatusHistory {
  readonly #about: About;
  readonly #all: Curve;
  readonly #inputs = new Map<string, Curve>();
  readonly #losses: Reporter;
  #lastLoss: LastLoss | undefined;
  #recordedMs: number;

  /** @param startMs before anything is read */
  constructor(about: About, startMs: number) {
    this.#about = about;
    this.#recordedMs = startMs;
    this.#all = new Curve(startMs);
    this.#losses = new Reporter("overwritten", LOSS_PAUSE_MS, startMs);
  }

  /** To be called once every `SAMPLE_MS`, or `rest`. */
  record(snapshot: Snapshot): void {
    const { timeMs } = snapshot;
    const inputs = inputsOf(snapshot);
    this.#all.add(timeMs, totalOf(snapshot));
    if (inputs.length <= MAX_INPUTS) {
      this.#forgetOthers(inputs);
      for (const input of inputs) {
        let curve = this.#inputs.get(input.label);
        if (curve === undefined) {
          curve = new Curve(this.#recordedMs);
          this.#inputs.set(input.label, curve);
        }
        curve.add(timeMs, input);
      }
    } else {
      this.#inputs.clear();
    }
    this.#recordedMs = timeMs;
    for (const event of this.#losses.observe(snapshot)) {
      if (event.event === "loss" || event.event === "loss_end") {
        const isKnown = event.event === "loss_end" || event.repeated;
        this.#lastLoss = lastLoss(event, isKnown);
      }
    }
  }

  /** No loss goes on whose end is still to be recorded. */
  get settled(): boolean {
    return this.#losses.settled;
  }

  /**
   * As `record`, where nothing has changed since the last time and it was `settled`: what
   * that costs does not depend on how many inputs there are.
   */
  rest(timeMs: number): void {
    this.#all.addRest(timeMs);
    for (const curve of this.#inputs.values()) curve.addRest(timeMs);
    this.#losses.rest(timeMs);
    this.#recordedMs = timeMs;
  }

  /** Those that have gone. */
  #forgetOthers(inputs: readonly InputState[]): void {
    const labels = new Set(inputs.map(({ label }) => label));
    for (const label of this.#inputs.keys()) {
      if (!labels.has(label)) this.#inputs.delete(label);
    }
  }

  now(): History {
    return {
      ...this.#about,
      max_capacity_bytes: MAX_CAPACITY,
      points: this.#all.points,
      ...(this.#inputs.size > 0 && {
        inputs: Object.fromEntries(
          Array.from(this.#inputs, ([label, { points }]) => [label, points]),
        ),
      }),
      ...(this.#lastLoss !== undefined && { last_loss: this.#lastLoss }),
    };
  }
}

function lastLoss(loss: Loss, isKnown: boolean): LastLoss {
  return {
    input: loss.input.label,
    lines: Number(loss.lines),
    bytes: Number(loss.bytes),
    since: formatTime(loss.sinceMs),
    until: formatTime(loss.untilMs),
    ...(isKnown && { capacity_needed_bytes: loss.capacityNeededBytes }),
  };
}
