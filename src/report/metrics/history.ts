import { type Counts, lost, NOTHING_COUNTED } from "../../lane/counters.ts";
import { MAX_CAPACITY } from "../../lane/lane.ts";
import { formatTime } from "../../units.ts";
import {
  inputsOf,
  type InputState,
  type Loss,
  type Snapshot,
  totalOf,
  uptimeMs,
} from "../events.ts";
import type { History, LastLoss, Point } from "../page/status.ts";
import { Losses } from "../losses.ts";

/** How often the history grows, and how far back it goes: two minutes. */
export const SAMPLE_MS = 1000;
const MAX_POINTS = 120;
/** With more, only all of them together have a history. */
const MAX_INPUTS = 64;
/** What is said of a loss is never older than what is said of the rates. */
const LOSS_TIMES = { repeatMs: SAMPLE_MS, pauseMs: 10_000 };

/** What the points of a curve are made from: the sums until a moment. */
interface Totals {
  readonly uptimeMs: number;
  readonly bytesIn: bigint;
  readonly bytesOut: bigint;
  /** Bytes. */
  readonly lost: bigint;
}

/**
 * One row of points, from counters that are looked at once a second. Times are counted
 * from the start, and become times of day when somebody asks: the clock may be set.
 */
class Curve {
  readonly #points: Point[] = [];
  #before: Totals;

  /** @param counts what was counted by then */
  constructor(sinceMs: number, counts = NOTHING_COUNTED) {
    this.#before = totalsAt(sinceMs, counts);
  }

  pointsAt(startMs: number): Point[] {
    return this.#points.map(([uptimeMs, ...rest]) => [startMs + uptimeMs, ...rest]);
  }

  add(uptimeMs: number, counts: Counts): void {
    this.#add(totalsAt(uptimeMs, counts));
  }

  /** Nothing has changed. */
  addRest(uptimeMs: number): void {
    this.#add({ ...this.#before, uptimeMs });
  }

  #add(now: Totals): void {
    const { uptimeMs, bytesIn, bytesOut } = now;
    // One that has gone since and come again begins from zero.
    const before = now.bytesIn < this.#before.bytesIn
      ? { ...this.#before, bytesIn: 0n, bytesOut: 0n, lost: 0n }
      : this.#before;
    // Two looks within a millisecond, or by a clock that was set by less than shows.
    if (uptimeMs <= before.uptimeMs) return;
    this.#before = now;
    const seconds = (uptimeMs - before.uptimeMs) / 1000;
    this.#points.push([
      uptimeMs,
      Math.round(Number(bytesIn - before.bytesIn) / seconds),
      Math.round(Number(bytesOut - before.bytesOut) / seconds),
      Number(now.lost - before.lost),
    ]);
    if (this.#points.length > MAX_POINTS) this.#points.shift();
  }
}

function totalsAt(uptimeMs: number, counts: Counts): Totals {
  const { bytesIn, bytesOut } = counts;
  return { uptimeMs, bytesIn, bytesOut, lost: lost(counts).bytes };
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
  readonly #losses = new Losses("overwritten", LOSS_TIMES);
  #lastLoss: RecordedLoss | undefined;
  /** Milliseconds since the start: the last point, and the last that was looked at. */
  #recordedMs: number;
  #lookedMs: number;
  /** There were too many inputs at the last look. */
  #areMany = false;

  /** @param uptimeMs before anything is read */
  constructor(about: About, uptimeMs: number) {
    this.#about = about;
    this.#recordedMs = this.#lookedMs = uptimeMs;
    this.#all = new Curve(uptimeMs);
  }

  /** To be called once every `SAMPLE_MS`, or `rest`. */
  record(snapshot: Snapshot): void {
    const nowMs = uptimeMs(snapshot);
    const inputs = inputsOf(snapshot);
    this.#all.add(nowMs, totalOf(snapshot));
    if (inputs.length <= MAX_INPUTS) this.#recordEach(inputs, nowMs);
    else this.#inputs.clear();
    this.#areMany = inputs.length > MAX_INPUTS;
    this.#recordedMs = this.#lookedMs = nowMs;
    this.#recordLosses(snapshot);
  }

  #recordEach(inputs: readonly InputState[], nowMs: number): void {
    this.#forgetOthers(inputs);
    for (const input of inputs) {
      let curve = this.#inputs.get(input.label);
      if (curve === undefined) {
        // It has just come, unless it was one of too many.
        curve = this.#areMany ? new Curve(nowMs, input) : new Curve(this.#recordedMs);
        this.#inputs.set(input.label, curve);
      }
      curve.add(nowMs, input);
    }
  }

  #recordLosses(snapshot: Snapshot): void {
    const events = snapshot.routes.flatMap((route) =>
      this.#losses.observe(route, snapshot)
    );
    this.#losses.seen(snapshot);
    for (const event of events) {
      if (event.event !== "loss" && event.event !== "loss_end") continue;
      const isKnown = event.event === "loss_end" || event.repeated;
      this.#lastLoss = { loss: event, isKnown, startMs: snapshot.startMs };
    }
  }

  /** No loss goes on whose end is still to be recorded. */
  get settled(): boolean {
    return this.#losses.settled;
  }

  /**
   * As `record`, where nothing has changed since the last time and it was `settled`: what
   * that costs does not depend on how many inputs there are.
   *
   * @param sinceMs for how long, since that last time
   */
  rest(sinceMs: number): void {
    const nowMs = this.#lookedMs + Math.round(sinceMs);
    this.#all.addRest(nowMs);
    for (const curve of this.#inputs.values()) curve.addRest(nowMs);
    this.#losses.rest(nowMs);
    this.#recordedMs = nowMs;
  }

  /** Those that have gone. */
  #forgetOthers(inputs: readonly InputState[]): void {
    const labels = new Set(inputs.map(({ label }) => label));
    for (const label of this.#inputs.keys()) {
      if (!labels.has(label)) this.#inputs.delete(label);
    }
  }

  /** @param startMs of the program, by the clock as it is now */
  at(startMs: number): History {
    return {
      ...this.#about,
      max_capacity_bytes: MAX_CAPACITY,
      points: this.#all.pointsAt(startMs),
      ...(this.#inputs.size > 0 && {
        inputs: Object.fromEntries(
          Array.from(
            this.#inputs,
            ([label, curve]) => [label, curve.pointsAt(startMs)],
          ),
        ),
      }),
      ...(this.#lastLoss && { last_loss: lastLoss(this.#lastLoss, startMs) }),
    };
  }
}

interface RecordedLoss {
  readonly loss: Loss;
  /** What it would have taken to hold it: not right after it has begun. */
  readonly isKnown: boolean;
  /** Of the program, by the clock as it was then. */
  readonly startMs: number;
}

function lastLoss(
  { loss, isKnown, startMs: then }: RecordedLoss,
  startMs: number,
): LastLoss {
  return {
    input: loss.input.label,
    lines: Number(loss.lines),
    bytes: Number(loss.bytes),
    since: formatTime(loss.sinceMs - then + startMs),
    until: formatTime(loss.untilMs - then + startMs),
    // No capacity holds what the output refuses.
    ...(isKnown && loss.reason !== "rejected" && {
      capacity_needed_bytes: loss.capacityNeededBytes,
    }),
  };
}
